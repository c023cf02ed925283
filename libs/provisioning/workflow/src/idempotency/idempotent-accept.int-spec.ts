import { ClientRepository } from '@agent-controller/clients';
import { CloudProviderRegistry } from '@agent-controller/cloud-port';
import { SecretBox, type Caller } from '@agent-controller/kernel';
import { loopbackGuard } from '@agent-controller/outbound/testing';
import { randomBytes } from 'node:crypto';
import { CatalogueService } from '../catalogue/catalogue.service';
import { KeyListService } from '../catalogue/key-list.service';
import type { ProvisionRequest } from '../provision-request';
import { ProvisioningFactory } from '../provisioning-factory.service';
import { ProvisioningRepository } from '../provisioning.repository';
import type { ProvisioningService } from '../provisioning.service';
import { CallbackTokens } from '../reports/callback-tokens';
import { QuotaService } from '../quota.service';
import { RequestCheckService } from '../request-check.service';
import { ServerMaterialService } from '../server-material.service';
import { FakeCloudProvider } from '../testing/fake-cloud-provider';
import { provisioningService } from '../testing/provisioning-service';
import { WorkflowDatabase } from '../testing/workflow-database';
import { UserDataService } from '../user-data.service';
import { IdempotencyKeysService } from './idempotency-keys.service';

const someone: Caller = { subject: 'someone', role: 'operator' };
const clock = { now: () => new Date() };
const body = { providerType: 'hetzner', serverType: 'cx23', name: 'web', gitToken: 'the-git-token' };
const repeatable = { key: 'a-key', body };
const request: ProvisionRequest = {
  ...{ providerType: 'hetzner', serverType: 'cx23', sshKeys: [], name: 'web' },
  ...{ authentication: { type: 'api_key' }, agentWsPort: 8080, git: {}, agentDefaultImage: 'worker', environment: {} },
};
const unnamed: ProvisionRequest = { ...request, name: undefined };

describe('orders with an idempotency key', () => {
  let database: WorkflowDatabase;
  let provider: FakeCloudProvider;

  beforeAll(async () => {
    database = await WorkflowDatabase.create();
  });
  afterAll(() => database.dispose());
  beforeEach(async () => {
    await database.dataSource.query('DELETE FROM idempotency_keys');
    await database.dataSource.query('DELETE FROM clients');
    const place = {
      ...{ id: 'nbg1', available: true, priceMonthly: 4, priceHourly: 0.01, addressPriceMonthly: 0 },
      deprecatedAfter: null,
    };
    provider = new FakeCloudProvider();
    provider.serverTypes = [
      {
        ...{ id: 'cx23', name: 'cx23', cores: 2, memory: 4, disk: 40, architecture: 'x86', description: '' },
        ...{ currency: 'EUR', priceMonthly: 4, priceHourly: 0.01, locations: [place] },
      },
    ];
    provider.locations = [{ id: 'nbg1', name: 'nbg1', country: 'DE', city: 'Nuremberg', available: true }];
  });

  /** As another controller has it: nothing in common but the database and the keys. */
  function controller(secretBox = database.secretBox): ProvisioningService {
    const { dataSource, options } = database;
    const provisionings = new ProvisioningRepository(dataSource, secretBox, database.options);
    const clients = new ClientRepository(dataSource, secretBox);
    const material = new ServerMaterialService(provisionings);
    const registry = new CloudProviderRegistry([provider]);
    const requests = new RequestCheckService(
      new CatalogueService(registry, clock),
      new KeyListService(clock),
      new ProvisioningFactory(provisionings, clients, material, options, clock),
      new UserDataService(provisionings, clients, new CallbackTokens(secretBox, options)),
      clients,
      new QuotaService(dataSource, options),
      loopbackGuard(['id.example.com'], async () => [{ address: '127.0.0.1', family: 4 }]),
      options,
    );
    const { events, stepCommit } = database;
    const stored = { dataSource, options, secretBox, provisionings, clients, events, stepCommit };
    return provisioningService(stored, { requests, providers: [provider], clock });
  }

  const count = async (table: string) =>
    ((await database.dataSource.query(`SELECT count(*)::int AS n FROM ${table}`)) as { n: number }[])[0]?.n;

  it.each([
    ['with a name', request],
    ['without', unnamed],
  ])('many at once, on two controllers, %s: one provisioning, told to all', async (_what, wanted) => {
    const controllers = [controller(), controller()];
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => controllers[index % 2]!.start(wanted, someone, repeatable)),
    );
    expect(new Set(answers.map(({ client }) => client.id)).size).toBe(1);
    expect(new Set(answers.map(({ apiKey }) => apiKey)).size).toBe(1);
    expect(answers[0]?.apiKey).toMatch(/^[\w-]{43}$/);
    expect(await count('provisioning_references')).toBe(1);
    expect(await count('clients')).toBe(1);
  });

  it('the second waits for the end of the first, and takes its place when it came to nothing', async () => {
    const keys = new IdempotencyKeysService(database.dataSource, database.secretBox, database.options);
    const first = database.dataSource.createQueryRunner();
    await first.startTransaction();
    await keys.claim(repeatable, someone, '00000000-0000-4000-8000-000000000000', first.manager);
    const second = controller().start(request, someone, repeatable);
    for (let waiting = 0; waiting === 0;) {
      const rows: { n: number }[] = await database.dataSource.query(
        `SELECT count(*)::int AS n FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO idempotency_keys%'`,
      );
      waiting = rows[0]!.n;
    }
    await first.rollbackTransaction();
    await first.release();
    const { client } = await second;
    expect((await controller().start(request, someone, repeatable)).client.id).toBe(client.id);
  });

  it('leaves neither rows nor a job nor a key of what could not be committed', async () => {
    const before = await database.jobs();
    const refusal = await database.refuseCommits('clients');
    await expect(controller().start(request, someone, repeatable)).rejects.toThrow('refused by the test');
    await refusal.end();
    expect(await database.jobs()).toEqual(before);
    for (const table of ['clients', 'provisioning_references', 'idempotency_keys']) expect(await count(table)).toBe(0);
    expect((await controller().start(request, someone, repeatable)).client.name).toBe(request.name);
  });

  it('needs neither the provider nor the name to answer again', async () => {
    const { client, apiKey } = await controller().start(request, someone, repeatable);
    provider.serverTypes = [];
    const again = await controller().start(request, someone, { ...repeatable, body: reversed(body) });
    expect(again).toMatchObject({ apiKey, client: { id: client.id }, reference: { phase: 'creating-server' } });
  });

  it('refuses another body, and keeps what the key stands for', async () => {
    const { client } = await controller().start(request, someone, repeatable);
    const other = { ...repeatable, body: { ...body, gitToken: 'another' } };
    await expect(controller().start(unnamed, someone, other)).rejects.toMatchObject({ code: 'idempotency-key-reused' });
    expect(await count('clients')).toBe(1);
    expect((await controller().start(request, someone, repeatable)).client.id).toBe(client.id);
  });

  it('is of one caller only', async () => {
    const mine = await controller().start(request, someone, repeatable);
    const theirs = await controller().start(request, { subject: 'another', role: 'operator' }, repeatable);
    expect(theirs.client.id).not.toBe(mine.client.id);
    expect(theirs.apiKey).not.toBe(mine.apiKey);
  });

  it('says that what it led to is gone, until its time is over', async () => {
    const { client } = await controller().start(request, someone, repeatable);
    await database.clients.delete(client.id);
    await expect(controller().start(request, someone, repeatable)).rejects.toMatchObject({
      code: 'idempotency-key-gone',
      options: { extensions: { clientId: client.id } },
    });
    await database.dataSource.query(`UPDATE idempotency_keys SET expires_at = now() - interval '1 second'`);
    const { client: next } = await controller().start(request, someone, repeatable);
    expect(next.id).not.toBe(client.id);
    expect((await controller().start(request, someone, repeatable)).client.id).toBe(next.id);
  });

  it('stores nothing of a refused request', async () => {
    const wrong = { ...request, serverType: 'none' };
    await expect(controller().start(wrong, someone, repeatable)).rejects.toMatchObject({ code: 'server-type-unknown' });
    await controller().start(request, someone, null);
    await expect(controller().start(request, someone, repeatable)).rejects.toMatchObject({ code: 'name-taken' });
    expect(await count('idempotency_keys')).toBe(0);
  });

  it('recognises requests after the encryption key was rotated', async () => {
    const [older, newer] = [randomBytes(32), randomBytes(32)];
    const { client, apiKey } = await controller(new SecretBox([older])).start(request, someone, repeatable);
    const again = await controller(new SecretBox([newer, older])).start(request, someone, repeatable);
    expect(again).toMatchObject({ apiKey, client: { id: client.id } });
  });

  it('recognises them also when the older key is gone, and another body as well', async () => {
    const [older, newer, secret] = [randomBytes(32), randomBytes(32), randomBytes(32)];
    const { client } = await controller(new SecretBox([older], secret)).start(request, someone, repeatable);
    const keys = new IdempotencyKeysService(database.dataSource, new SecretBox([newer], secret), database.options);
    expect(await keys.clientOf(repeatable, someone)).toBe(client.id);
    const changed = { ...repeatable, body: { ...body, gitToken: 'another' } };
    await expect(keys.clientOf(changed, someone)).rejects.toMatchObject({ code: 'idempotency-key-reused' });
  });

  it('recognises what a controller of the release before accepted, and the other way round', async () => {
    const [key, secret] = [randomBytes(32), randomBytes(32)];
    const { client } = await controller(new SecretBox([key], secret)).start(request, someone, repeatable);
    const keys = (box: SecretBox) => new IdempotencyKeysService(database.dataSource, box, database.options);
    const asBefore = `UPDATE idempotency_keys SET lasting_hmac = `;
    for (const left of ['lasting_hmac', 'NULL', `'of a row that expired'`]) {
      await database.dataSource.query(asBefore + left);
      for (const box of [new SecretBox([key], secret), new SecretBox([key])]) {
        expect(await keys(box).clientOf(repeatable, someone)).toBe(client.id);
      }
    }
  });

  it('answers no API key where there is none', async () => {
    const authentication = {
      ...{ type: 'keycloak' as const, clientId: 'agents', clientSecret: 'secret' },
      ...{ authServerUrl: 'https://id.example.com', realm: 'agents' },
    };
    const keycloak = { ...request, authentication };
    expect((await controller().start(keycloak, someone, repeatable)).apiKey).toBeNull();
    expect((await controller().start(keycloak, someone, repeatable)).apiKey).toBeNull();
  });

  it('leaves the mark of a withheld key to the retry', async () => {
    const { reference } = await controller().start(request, someone, repeatable);
    await controller().withholdKey(reference.id);
    const again = await controller().start(request, someone, repeatable);
    expect(again.apiKey).not.toBeNull();
    expect((await database.get(reference.id)).isKeyWithheld).toBe(true);
  });

  it('has an admin retry what is another’s, and tells the withheld key to its owner only', async () => {
    const { client, reference, apiKey } = await controller().start(request, someone, null);
    await controller().withholdKey(reference.id);
    const fail = () => database.dataSource.query(`UPDATE provisioning_references SET phase = 'failed'`);
    await fail();
    const another: Caller = { subject: 'another', role: 'operator' };
    await expect(controller().retry(client.id, another)).rejects.toMatchObject({ code: 'client-not-found' });
    expect((await controller().retry(client.id, { subject: 'root', role: 'admin' })).apiKey).toBeNull();
    await fail();
    expect((await controller().retry(client.id, someone)).apiKey).toBe(apiKey);
  });

  it('without a key: of two equal names at once one is refused, and without names there are two', async () => {
    const named = await Promise.allSettled([0, 1].map(() => controller().start(request, someone, null)));
    expect(named.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(named.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'name-taken' } });
    await Promise.all([0, 1].map(() => controller().start(unnamed, someone, null)));
    expect(await count('provisioning_references')).toBe(3);
  });

  it('stores nothing that tells the body', async () => {
    await controller().start(request, someone, repeatable);
    const rows = await database.dataSource.query('SELECT to_jsonb(k)::text AS row FROM idempotency_keys k');
    expect(JSON.stringify(rows)).not.toContain('the-git-token');
  });
});

function reversed(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).reverse());
}
