import { CloudError, CloudProviderRegistry } from '@agent-controller/cloud-port';
import { FakeCloudProvider } from '../testing/fake-cloud-provider';
import { WorkflowDatabase } from '../testing/workflow-database';
import { OFFER_AGE } from './catalogue-memory';
import { CatalogueService } from './catalogue.service';
import { ProviderOffers } from './provider-offers.repository';

describe('the catalogue of several controllers', () => {
  let database: WorkflowDatabase;
  let provider: FakeCloudProvider;
  let nowMs: number;

  beforeAll(async () => {
    database = await WorkflowDatabase.create();
  });
  beforeEach(async () => {
    await database.dataSource.query('DELETE FROM provider_offers');
    provider = new FakeCloudProvider();
    provider.locations = [{ id: 'nbg1', name: 'nbg1', country: 'DE', city: 'Nuremberg', available: true }];
    nowMs = Date.now();
  });
  afterAll(() => database.dispose());

  const controller = () =>
    new CatalogueService(
      new CloudProviderRegistry([provider]),
      { now: () => new Date(nowMs) },
      new ProviderOffers(database.dataSource),
    );
  const questions = () => provider.calls.filter((call) => call === 'listLocations').length;

  it('is asked for once, whoever asks, however many at a time', async () => {
    const controllers = [controller(), controller(), controller()];
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => controllers[index % 3]!.locations('hetzner')),
    );
    expect(new Set(answers.map((each) => JSON.stringify(each)))).toEqual(new Set([JSON.stringify(provider.locations)]));
    expect(questions()).toBe(1);
    expect(await controller().locations('hetzner')).toEqual(provider.locations);
    expect(questions()).toBe(1);
  });

  it('is asked for again by one of them when it is old, and the others take that over', async () => {
    const [one, other] = [controller(), controller()];
    await Promise.all([one.locations('hetzner'), other.locations('hetzner')]);
    nowMs += OFFER_AGE.behindMs;
    provider.locations = [];
    expect(await Promise.all([one.locations('hetzner'), other.locations('hetzner')])).toEqual([[], []]);
    expect(questions()).toBe(2);
  });

  it('is asked for by another when the first was refused, or is gone', async () => {
    provider.failNext('listLocations', new CloudError('unavailable', 'away'));
    await expect(controller().locations('hetzner')).rejects.toMatchObject({ code: 'provider-unavailable' });
    expect(await controller().locations('hetzner')).toEqual(provider.locations);
    await database.dataSource.query(
      `UPDATE provider_offers SET asked_at = NULL, claimed_until = now() - interval '1 second'`,
    );
    expect(await controller().locations('hetzner')).toEqual(provider.locations);
    expect(questions()).toBe(3);
  });
});
