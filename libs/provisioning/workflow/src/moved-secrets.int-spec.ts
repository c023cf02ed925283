import { getSealed, MANY, setSealed } from '@agent-controller/database/testing';
import { placeIn, SealedValueError, SecretBox, type Logger, type SealedColumn } from '@agent-controller/kernel';
import { randomBytes } from 'node:crypto';
import type { ProvisioningReference } from './provisioning-reference.entity';
import { CallbackTokens } from './reports/callback-tokens';
import type { StepRunner } from './step-runner.service';
import { advance, type StepContext } from './steps/step';
import { FakeCloudProvider } from './testing/fake-cloud-provider';
import { runnerOf } from './testing/step-runner';
import { WorkflowDatabase } from './testing/workflow-database';
import { UserDataService } from './user-data.service';

const running = new AbortController().signal;

/** Whoever can write to the database must not get a server set up with another's secrets. */
describe('sealed values that were moved', () => {
  let database: WorkflowDatabase;
  let provider: FakeCloudProvider;
  let logged: object[];
  let [one, other]: (ProvisioningReference | undefined)[] = [];

  beforeAll(async () => {
    database = await WorkflowDatabase.create();
  });
  afterAll(() => database.dispose());
  beforeEach(async () => {
    provider = new FakeCloudProvider();
    logged = [];
    [one, other] = [await database.insert(), await database.insert()];
  });

  /** A controller whose step reads all secrets of its row, as an order does. */
  function controller(): StepRunner {
    const { provisionings, clients, options, secretBox } = database;
    const userData = new UserDataService(provisionings, clients, new CallbackTokens(secretBox, options));
    const step = async ({ reference, client }: StepContext) => {
      userData.renderMasked(reference, client);
      return advance('booting');
    };
    const ignore = () => undefined;
    const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: (fields) => logged.push(fields) };
    return runnerOf(step, database, { provider, logger });
  }

  const rowIn = ({ table }: SealedColumn, row: ProvisioningReference) => (table === 'clients' ? row.clientId : row.id);
  const stored = (column: SealedColumn, row = one!) => getSealed(database.dataSource, column, rowIn(column, row));
  const store = (column: SealedColumn, value: string, row = one!) =>
    setSealed(database.dataSource, column, rowIn(column, row), value);

  const moves = MANY.flatMap((column) => [
    [column, column, 'another row'] as const,
    [column, column, 'the same row, altered'] as const,
    ...MANY.filter((from) => from !== column).map((from) => [column, from, 'the same row'] as const),
  ]);

  it.each(moves)('%j ← %j of %s: the step fails, and says so', async (column, from, what) => {
    const value = what === 'another row' ? await stored(from, other) : await stored(from);
    await store(column, what === 'the same row, altered' ? `${value.slice(0, -4)}AAAA` : value);
    await controller().run(one!.id, running);
    const row = await database.get(one!.id);
    expect(row.phase).toBe('failed');
    expect(row.lastError).toMatchObject({
      code: 'secrets-unreadable',
      message: expect.stringContaining(`${column.table}.${column.column} was altered, or moved`),
      action: expect.stringContaining('Restore'),
    });
    expect(logged).toMatchObject([{ err: expect.any(SealedValueError) }]);
    expect(provider.calls).toEqual([]);
    // Whoever asks for it, not only steps.
    const client = await database.clients.get(one!.clientId);
    const open =
      column.table === 'clients'
        ? () => database.clients.openCredentials(client!)
        : () => database.provisionings.openSecrets(row);
    expect(open).toThrow(SealedValueError);
  });

  it.each(MANY)('%j sealed with a key that is not there: the step waits for it', async (column) => {
    const box = new SecretBox([randomBytes(32)]);
    const mine = await stored(column);
    await store(column, box.seal('{}', placeIn(column, rowIn(column, one!))));
    await controller().run(one!.id, running);
    expect(await database.get(one!.id)).toMatchObject({
      phase: 'creating-server',
      lastError: {
        code: 'secrets-unreadable',
        message: expect.stringContaining(`sealed with the key ${box.sealingKeyId}`),
        action: expect.stringContaining('ENCRYPTION_KEYS'),
      },
    });
    await store(column, mine);
    // Its values are whole again; that they are those of a test is another matter.
    expect(database.clients.openCredentials((await database.clients.get(one!.clientId))!)).toMatchObject({
      apiKey: 'the-api-key',
    });
  });
});
