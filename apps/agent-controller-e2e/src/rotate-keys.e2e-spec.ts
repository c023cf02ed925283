import type { ProvisionedClientView } from '@agent-controller/contracts';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Controller, Installation } from './support/controller-process';
import { provision, provisionBody, untilPhase } from './support/provision';
import { until } from './support/until';

const PROGRAM = join(__dirname, '../../../dist/apps/agent-controller/src/rotate-keys.js');

/** The runbook of docs/operations.md, step by step, with two controllers and an order under way. */
describe('rotation of the encryption keys', () => {
  const newer = randomBytes(32).toString('base64');
  let installation: Installation;
  let older: string;

  beforeAll(async () => {
    installation = await Installation.create();
    older = installation.encryptionKey;
  });
  afterAll(() => installation.dispose());

  /** As an operator runs it. */
  function rotate(keys: string): Promise<{ code: number; output: string }> {
    const env = { ...installation.environment(), ENCRYPTION_KEYS: keys };
    return new Promise((resolve) =>
      execFile(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM], { env }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
      ),
    );
  }
  const keyIds = () =>
    installation.query<{ id: string }>(
      `SELECT DISTINCT split_part(sealed, '.', 2) AS id FROM (
         SELECT sealed_secret AS sealed FROM encryption_canary UNION ALL SELECT sealed_credentials FROM clients
         UNION ALL SELECT sealed_secrets FROM provisioning_references) AS all_values WHERE sealed IS NOT NULL`,
    );
  const startWith = (keys: string) =>
    Promise.all([1, 2].map(() => installation.startController({ ENCRYPTION_KEYS: keys }))) as Promise<
      [Controller, Controller]
    >;
  async function exchange(running: Controller[], keys: string): Promise<[Controller, Controller]> {
    const started = await startWith(keys);
    await Promise.all(running.map((controller) => controller.stop()));
    return started;
  }

  it('goes on without an interruption, and then needs the older key no more', async () => {
    let controllers = await startWith(older);
    const body = provisionBody({ gitToken: 'the-git-token' });
    const once = { 'idempotency-key': 'once' };
    const path = '/api/clients/provisioning/provision';
    const first = await controllers[0].api.post<ProvisionedClientView>(path, body, once);
    expect(first.status).toBe(202);
    await untilPhase(controllers[0].api, first.body.id, 'ready');
    // It waits for its agent-manager while the keys change.
    const { body: waiting } = await provision(controllers[0].api);
    const [server] = await until(
      async () => (await installation.emulator.servers()).filter(({ name }) => name.includes(waiting.name)),
      (servers) => servers.length > 0,
    );
    await installation.emulator.setAgent(server!.id, 'down');

    controllers = await exchange(controllers, `${older},${newer}`);
    controllers = await exchange(controllers, `${newer},${older}`);
    const during = [1, 2, 3].map(() => provision(controllers[1].api));
    const done = await rotate(`${newer},${older}`);
    expect(done.output).toMatch(/clients\.sealed_credentials: [1-9]\d* sealed anew, .*, 0 left/);
    expect(done.output).toContain('encryption_canary.sealed_secret: 1 sealed anew');
    expect(done.code).toBe(0);
    for (const key of [older, newer, 'the-git-token']) expect(done.output).not.toContain(key);
    for (const answer of await Promise.all(during)) expect(answer.status).toBe(202);
    expect(await keyIds()).toHaveLength(1);

    controllers = await exchange(controllers, newer);
    const again = await controllers[0].api.post<ProvisionedClientView>(path, body, once);
    expect(again).toMatchObject({ status: 202, body: { id: first.body.id, apiKey: first.body.apiKey } });
    await installation.emulator.setAgent(server!.id, 'up');
    expect((await untilPhase(controllers[0].api, waiting.id, 'ready')).phase).toBe('ready');
    await Promise.all(controllers.map((controller) => controller.stop()));
  });

  it('the older key alone is refused at start, and by the rotation, and nothing is changed', async () => {
    const before = await installation.everythingStored();
    const environment = { ...installation.environment(), ENCRYPTION_KEYS: older };
    const error = await Controller.start(environment, '').then(
      () => null,
      (reason: Error) => reason,
    );
    expect(error?.message).toMatch(/ended with code 1:[^]*ENCRYPTION_KEYS does not fit this database/);
    const refused = await rotate(older);
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('ENCRYPTION_KEYS does not fit') });
    expect(await installation.everythingStored()).toBe(before);
  });

  it('names what it cannot open, and ends with 1', async () => {
    const [row] = await installation.query<{ id: string }>('SELECT id FROM clients ORDER BY id LIMIT 1');
    const stranger = 'v1.0badc0de.AAAA';
    await installation.query(`UPDATE clients SET sealed_credentials = '${stranger}' WHERE id = '${row?.id}'`);
    const { code, output } = await rotate(newer);
    expect(code).toBe(1);
    expect(output).toContain(`clients.sealed_credentials of row ${row?.id} was sealed with the key 0badc0de`);
  });
});
