import { page, region, size } from './digital-ocean-answers.fixture';
import { DigitalOceanScript, get, TOKEN } from './digital-ocean-script.fixture';

const digitalOcean = new DigitalOceanScript();

describe('the catalogue of DigitalOcean', () => {
  const regions = [region('fra1', 'Frankfurt 1'), region('nyc1', 'New York 1', false), region('xyz2', 'Atlantis 2')];
  const first = { page: '1', per_page: '200' };
  const second = { page: '2', per_page: '200' };

  it('reads all pages of sizes, in US dollars, with availability per region', async () => {
    const provider = await digitalOcean.start(
      get('/regions', page('regions', regions), first),
      get('/sizes', page('sizes', [size('s-1vcpu-512mb-10gb')], 'https://x/v2/sizes?page=2'), first),
      get(
        '/sizes',
        page('sizes', [
          size('closed', { available: false, regions: ['fra1'] }),
          size('retired', { regions: [] }),
          size('big', { memory: 8_192, description: 'General Purpose' }),
        ]),
        second,
      ),
    );
    const types = await provider.listServerTypes();
    expect(types.map(({ id, memory }) => [id, memory])).toEqual([
      ['s-1vcpu-512mb-10gb', 0.5],
      ['closed', 0.5],
      ['big', 8],
    ]);
    const price = { priceMonthly: 4, priceHourly: 0.00595 };
    const location = { ...price, addressPriceMonthly: 0, deprecatedAfter: null };
    expect(types[0]).toEqual({
      id: 's-1vcpu-512mb-10gb',
      name: 's-1vcpu-512mb-10gb',
      cores: 1,
      memory: 0.5,
      disk: 10,
      architecture: 'x86',
      description: 'Basic',
      currency: 'USD',
      ...price,
      locations: [
        { id: 'fra1', available: true, ...location },
        { id: 'nyc1', available: false, ...location },
      ],
    });
    expect(types[1]?.locations).toEqual([{ id: 'fra1', available: false, ...location }]);
    expect(digitalOcean.http.requests[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  it('knows country and city of every region, as far as they can be known', async () => {
    const provider = await digitalOcean.start(get('/regions', page('regions', regions), first));
    expect(await provider.listLocations()).toEqual([
      { id: 'fra1', name: 'Frankfurt 1', country: 'DE', city: 'Frankfurt', available: true },
      { id: 'nyc1', name: 'New York 1', country: 'US', city: 'New York', available: false },
      { id: 'xyz2', name: 'Atlantis 2', country: 'ZZ', city: 'Atlantis', available: true },
    ]);
  });
});
