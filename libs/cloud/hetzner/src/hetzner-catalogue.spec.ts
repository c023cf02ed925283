import { json } from '@agent-controller/cloud-port/testing';
import { page, price, pricing, serverType } from './hetzner-answers.fixture';
import { HetznerScript, get, TOKEN } from './hetzner-script.fixture';

const hetzner = new HetznerScript();

describe('server types', () => {
  it('reads all pages, with gross prices and availability per location', async () => {
    const provider = await hetzner.start(
      get('/pricing', json(pricing)),
      get('/server_types', page('server_types', [serverType('cx23')], 2), { page: '1', per_page: '50' }),
      get('/server_types', page('server_types', [serverType('cax11', { architecture: 'arm' })]), {
        page: '2',
        per_page: '50',
      }),
    );
    const types = await provider.listServerTypes();
    expect(types.map(({ id, architecture }) => [id, architecture])).toEqual([
      ['cx23', 'x86'],
      ['cax11', 'arm'],
    ]);
    expect(types[0]).toEqual({
      id: 'cx23',
      name: 'cx23',
      cores: 2,
      memory: 4,
      disk: 40,
      architecture: 'x86',
      description: 'CX23',
      currency: 'EUR',
      priceMonthly: 3.5,
      priceHourly: 0.0056,
      locations: [
        {
          id: 'fsn1',
          available: true,
          priceMonthly: 4.1531,
          priceHourly: 0.006664,
          addressPriceMonthly: 0.595,
          deprecatedAfter: null,
        },
        {
          id: 'hel1',
          available: false,
          priceMonthly: 3.5,
          priceHourly: 0.0056,
          addressPriceMonthly: 0.714,
          deprecatedAfter: null,
        },
      ],
    });
    expect(hetzner.http.requests[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  it('leaves out what cannot be ordered any more, and says where an end is announced', async () => {
    const ends = (unavailable_after: string) => ({ announced: '2026-01-01T00:00:00+00:00', unavailable_after });
    const at = (name: string, deprecation: unknown) => ({ id: 1, name, available: true, deprecation });
    const past = ends('2026-02-01T00:00:00+00:00');
    const future = ends('2999-01-01T00:00:00+00:00');
    const provider = await hetzner.start(
      get('/pricing', json(pricing)),
      get(
        '/server_types',
        page('server_types', [
          serverType('flag', { deprecated: true }),
          serverType('whole', { deprecation: future }),
          serverType('ended', { locations: [at('fsn1', past), at('hel1', past)] }),
          serverType('ending', { locations: [at('fsn1', future)] }),
          serverType('unpriced', { prices: [] }),
          serverType('riscv', { architecture: 'riscv' }),
          serverType('partly', {
            locations: [at('fsn1', future), at('hel1', null), at('nbg1', past)],
            prices: [price('fsn1', '1', '1'), price('hel1', '2', '2'), price('nbg1', '3', '3')],
          }),
        ]),
      ),
    );
    const types = await provider.listServerTypes();
    expect(types.map(({ id }) => id)).toEqual(['partly']);
    expect(types[0]?.locations.map(({ id, deprecatedAfter }) => [id, deprecatedAfter])).toEqual([
      ['fsn1', '2999-01-01T00:00:00+00:00'],
      ['hel1', null],
    ]);
  });

  it('lists locations of all pages', async () => {
    const location = { id: 1, name: 'fsn1', description: 'Falkenstein DC Park 1', country: 'DE', city: 'Falkenstein' };
    const provider = await hetzner.start(
      get('/locations', page('locations', [location], 2)),
      get('/locations', page('locations', [{ ...location, name: 'nbg1' }])),
    );
    const locations = await provider.listLocations();
    expect(locations.map(({ id }) => id)).toEqual(['fsn1', 'nbg1']);
    expect(locations[0]).toEqual({
      id: 'fsn1',
      name: 'Falkenstein DC Park 1',
      country: 'DE',
      city: 'Falkenstein',
      available: true,
    });
  });
});
