import { CloudError, CloudProviderRegistry, type ServerType } from '@agent-controller/cloud-port';
import { AppError } from '@agent-controller/kernel';
import { DEBIAN, FakeCloudProvider } from '../testing/fake-cloud-provider';
import { OFFER_AGE } from './catalogue-memory';
import { CatalogueService } from './catalogue.service';

const place = (id: string, priceMonthly: number, available = true) => ({
  id,
  available,
  priceMonthly,
  priceHourly: priceMonthly / 1000,
  addressPriceMonthly: 0,
  deprecatedAfter: null,
});

const serverType: ServerType = {
  id: 'cx23',
  name: 'CX23',
  cores: 2,
  memory: 4,
  disk: 40,
  architecture: 'x86',
  description: 'CX23',
  currency: 'EUR',
  priceMonthly: 3,
  priceHourly: 0.003,
  locations: [place('fsn1', 4), place('nbg1', 3), place('ash', 5, false)],
};

describe('CatalogueService', () => {
  let provider: FakeCloudProvider;
  let catalogue: CatalogueService;
  let nowMs: number;

  beforeEach(() => {
    nowMs = Date.parse('2026-01-01T00:00:00Z');
    provider = new FakeCloudProvider();
    provider.serverTypes = [serverType];
    provider.locations = ['fsn1', 'nbg1', 'ash'].map((id) => ({
      id,
      name: id,
      country: 'DE',
      city: id,
      available: true,
    }));
    catalogue = new CatalogueService(new CloudProviderRegistry([provider]), { now: () => new Date(nowMs) });
  });

  const loads = () => provider.calls.filter((call) => call === 'listServerTypes').length;

  async function refusal(promise: Promise<unknown>): Promise<AppError> {
    const error: unknown = await promise.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AppError);
    return error as AppError;
  }

  it('asks once for many callers at a time', async () => {
    const answers = await Promise.all([
      catalogue.serverTypes('hetzner'),
      catalogue.locations('hetzner'),
      catalogue.serverTypes('hetzner', 'fsn1'),
      catalogue.offer(provider),
    ]);
    expect(answers[0]).toEqual([serverType]);
    expect(await catalogue.images('hetzner')).toEqual([DEBIAN]);
    expect(provider.calls.sort()).toEqual(['listImages', 'listLocations', 'listServerTypes']);
  });

  it('asks again after six minutes, not before, and nobody waits for it', async () => {
    await catalogue.locations('hetzner');
    nowMs += OFFER_AGE.freshMs - 1;
    await catalogue.locations('hetzner');
    expect(loads()).toBe(1);
    nowMs += 1;
    provider.serverTypes = [];
    expect(await Promise.all([catalogue.serverTypes('hetzner'), catalogue.serverTypes('hetzner')])).toEqual([
      [serverType],
      [serverType],
    ]);
    await new Promise(setImmediate);
    expect(await catalogue.serverTypes('hetzner')).toEqual([]);
    expect(loads()).toBe(2);
  });

  it('waits for a new answer when the known one is old', async () => {
    await catalogue.locations('hetzner');
    nowMs += OFFER_AGE.behindMs;
    provider.serverTypes = [];
    expect(await catalogue.serverTypes('hetzner')).toEqual([]);
  });

  it('tries again a minute after an answer behind the callers failed', async () => {
    await catalogue.locations('hetzner');
    nowMs += OFFER_AGE.freshMs;
    provider.failNext('listServerTypes', new CloudError('unavailable', 'away'));
    for (let call = 0; call < 5; call++) {
      expect(await catalogue.serverTypes('hetzner')).toEqual([serverType]);
      await new Promise(setImmediate);
    }
    expect(loads()).toBe(2);
    nowMs += 60_000;
    await catalogue.serverTypes('hetzner');
    await new Promise(setImmediate);
    expect(loads()).toBe(3);
  });

  it('does not keep a failure', async () => {
    provider.failNext('listServerTypes', new CloudError('unavailable', 'The provider is away.'));
    const both = [refusal(catalogue.serverTypes('hetzner')), refusal(catalogue.locations('hetzner'))];
    expect((await Promise.all(both)).map(({ code }) => code)).toEqual(['provider-unavailable', 'provider-unavailable']);
    expect(loads()).toBe(1);
    expect(await catalogue.serverTypes('hetzner')).toEqual([serverType]);
    expect(loads()).toBe(2);
  });

  it.each([
    [new CloudError('unavailable', 'away'), 'provider-unavailable', 10],
    [new CloudError('rate-limited', 'slow down', { retryAfterMs: 2_500 }), 'provider-unavailable', 3],
    [new CloudError('auth', 'the token is wrong', { providerCode: 'unauthorized' }), 'provider-refused', undefined],
  ])('says what it means for the caller that the provider answered: %s', async (error, code, retryAfterSeconds) => {
    provider.failNext('listLocations', error);
    const refused = await refusal(catalogue.locations('hetzner'));
    expect(refused).toMatchObject({ code, message: error.message });
    expect(refused.options.retryAfterSeconds).toBe(retryAfterSeconds);
    expect(refused.options.extensions).toMatchObject({ providerCode: error.providerCode });
  });

  it('answers what it knew for an hour while the provider cannot be asked, and asks again each minute', async () => {
    await catalogue.offer(provider);
    const away = () => provider.failNext('listServerTypes', new CloudError('rate-limited', 'The budget is low.'));
    away();
    nowMs += OFFER_AGE.behindMs;
    expect(await catalogue.serverTypes('hetzner')).toEqual([serverType]);
    expect(await catalogue.serverTypes('hetzner')).toEqual([serverType]);
    expect(loads()).toBe(2);
    away();
    nowMs += 60_000;
    expect(await catalogue.serverTypes('hetzner')).toEqual([serverType]);
    expect(loads()).toBe(3);
    away();
    nowMs += OFFER_AGE.staleMs - OFFER_AGE.behindMs - 60_000;
    expect((await refusal(catalogue.serverTypes('hetzner'))).code).toBe('provider-unavailable');
  });

  it('does not hide that the token is refused behind what it knew', async () => {
    await catalogue.offer(provider);
    provider.failNext('listServerTypes', new CloudError('auth', 'The token is wrong.'));
    nowMs += OFFER_AGE.behindMs;
    expect((await refusal(catalogue.serverTypes('hetzner'))).code).toBe('provider-refused');
  });

  it('lists at a location what can be ordered there, at its price', async () => {
    expect(await catalogue.serverTypes('hetzner', 'fsn1')).toEqual([
      { ...serverType, priceMonthly: 4, priceHourly: 0.004, locations: [serverType.locations[0]] },
    ]);
    expect(await catalogue.serverTypes('hetzner', 'ash')).toEqual([]);
  });

  it('refuses a location that does not exist, and names those that do', async () => {
    const { code, message } = await refusal(catalogue.serverTypes('hetzner', 'mars'));
    expect(code).toBe('location-unknown');
    expect(message).toMatch('Use one of: fsn1, nbg1, ash.');
  });

  it('names where else a type can be ordered', async () => {
    expect(await catalogue.otherLocations('hetzner', 'cx23', 'fsn1')).toEqual(['nbg1']);
    expect(await catalogue.otherLocations('hetzner', 'unknown', 'fsn1')).toEqual([]);
  });

  it('knows the providers that are configured', async () => {
    expect(catalogue.configuredProviders()).toEqual([provider]);
    const { code, message } = await refusal(catalogue.locations('digital-ocean'));
    expect(code).toBe('provider-not-found');
    expect(message).toBe("There is no provider 'digital-ocean' here. Use one of: hetzner.");
    const none = new CatalogueService(new CloudProviderRegistry([]), { now: () => new Date() });
    expect((await refusal(none.locations('hetzner'))).message).toMatch('None is configured: set an API token.');
  });

  it('gives answers of one provider to nobody who asks for another', async () => {
    for (const type of ['__proto__', 'constructor', 'HETZNER', '']) {
      expect((await refusal(catalogue.locations(type))).code).toBe('provider-not-found');
    }
  });

  it('names types much like one that is full, and where they can be ordered', async () => {
    const like = (id: string, memory: number, changes: Partial<ServerType> = {}) => ({
      ...serverType,
      id,
      memory,
      ...changes,
    });
    provider.serverTypes = [
      serverType,
      like('dear', 8, { priceMonthly: 9 }),
      like('bigger', 8, { priceMonthly: 5 }),
      like('smaller', 2),
      like('arm', 4, { architecture: 'arm' }),
      like('full', 4, { locations: [place('fsn1', 4, false)] }),
    ];
    expect(await catalogue.otherTypes('hetzner', 'cx23')).toEqual([
      { id: 'bigger', locations: ['fsn1', 'nbg1'] },
      { id: 'dear', locations: ['fsn1', 'nbg1'] },
    ]);
    expect(await catalogue.otherTypes('hetzner', 'gone')).toEqual([]);
  });
});
