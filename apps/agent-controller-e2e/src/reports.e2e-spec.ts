import type { ProvisionedClientView, ProvisioningEventView } from '@agent-controller/contracts';
import { Installation, type Controller } from './support/controller-process';
import { freePort } from './support/free-port';
import { info, provision, untilPhase } from './support/provision';
import { until } from './support/until';

// In the order in which they begin. `upkeep` follows, when the agent-manager works and perhaps nobody looks any more.
const STAGES = ['boot', 'docker', 'agent-manager-image', 'postgres-image', 'proxy', 'postgres', 'agent-manager'];
// With a public address they fetch their secret files first.
const FETCHING_STAGES = ['boot', 'secrets', ...STAGES.slice(1)];

describe('what servers say of themselves', () => {
  let installation: Installation;
  let looking: Controller;
  let publicUrl: string;

  beforeAll(async () => {
    installation = await Installation.create();
    looking = await installation.startController();
  });
  afterAll(() => installation.dispose());
  afterEach(() => installation.emulator.clearFaults());

  async function events(controller: Controller, id: string): Promise<ProvisioningEventView[]> {
    return (await controller.api.get<ProvisioningEventView[]>(`/api/clients/${id}/provisioning/events`)).body;
  }

  async function begin(controller: Controller, changes: Record<string, unknown> = {}): Promise<ProvisionedClientView> {
    const started = await provision(controller.api, changes);
    expect(started.status).toBe(202);
    return started.body;
  }

  async function expectFailure(controller: Controller, id: string, stage: string, cause: string): Promise<void> {
    const failed = await untilPhase(controller.api, id, 'failed');
    expect(failed).toMatchObject({ phase: 'failed', lastError: { code: 'installation-failed' } });
    expect(failed.message).toContain(`failed at the step ${stage}: ${cause}`);
    const log = (await events(controller, id)).filter(({ type }) => type === 'log');
    expect(log.map(({ data }) => data)).toEqual([expect.objectContaining({ stage, log: 'E: the last\nlines' })]);
  }

  async function remove(controller: Controller, id: string): Promise<void> {
    expect((await controller.api.delete(`/api/clients/${id}/provisioning`, { prefer: 'wait=60' })).status).toBe(204);
  }

  const failAt = (stage: string, cause: string, further: Record<string, unknown> = {}) =>
    installation.emulator.addFault({
      method: 'POST',
      times: 1,
      installFailure: { stage, cause, logTail: ['E: the last', 'lines'] },
      ...further,
    });

  describe('without a public address', () => {
    it('the controller reads them: stages become events, in their order', async () => {
      const { id } = await begin(looking);
      expect((await untilPhase(looking.api, id, 'ready')).phase).toBe('ready');
      const stages = (await events(looking, id)).filter(({ type }) => type === 'stage');
      expect(namesOf(stages, 'began').slice(0, 7)).toEqual(STAGES);
      expect(namesOf(stages, 'ended')).toEqual(expect.arrayContaining(STAGES.slice(0, 6)));
      const { stages: shown } = await info(looking.api, id);
      expect(shown?.slice(0, 7).map(({ name }) => name)).toEqual(STAGES);
      const [server] = (await installation.emulator.servers()).filter(({ id: server }) => server !== '');
      expect(server?.reports).toEqual([]);
      await remove(looking, id);
    });

    it.each(['docker', 'postgres', 'agent-manager'])(
      'a server that fails at %s says so over its pinned TLS',
      async (stage) => {
        await failAt(stage, 'By order');
        const { id } = await begin(looking);
        await expectFailure(looking, id, stage, 'By order');
        await remove(looking, id);
      },
    );
  });

  describe('with a public address', () => {
    let reporting: Controller;
    beforeAll(async () => {
      await looking.stop();
      const port = await freePort();
      publicUrl = `http://127.0.0.1:${port}`;
      reporting = await installation.startController({ PORT: String(port), PUBLIC_URL: publicUrl });
    });

    const ours = async (serverId: string | null) =>
      (await installation.emulator.servers()).find(({ id }) => id === serverId);

    it.each(['hetzner', 'digital-ocean'])(
      'servers at %s report until the agent-manager is ready, then no more',
      async (providerType) => {
        const { id } = await begin(reporting, {
          providerType,
          serverType: providerType === 'hetzner' ? 'cx33' : 's-2vcpu-2gb',
        });
        const { serverId } = await untilPhase(reporting.api, id, 'ready');
        const server = await until(
          () => ours(serverId),
          (seen) => seen?.statusDocument?.state === 'finished',
        );
        expect(server?.reports.filter(({ outcome }) => outcome === '204').length).toBeGreaterThan(2);
        const began = (await events(reporting, id)).filter(
          ({ type, data }) => type === 'stage' && data?.['state'] === 'began',
        );
        expect(began.map(({ data }) => data?.['stage'])).toEqual(expect.arrayContaining(STAGES.slice(0, 6)));
        expect(new Set(began.map(({ data }) => data?.['stage'])).size).toBe(began.length);
        await remove(reporting, id);
      },
    );

    it.each(['lose', 'twice-and-reversed'])('reports that the network would %s do no harm', async (callbacks) => {
      await installation.emulator.addFault({ method: 'POST', times: 1, callbacks });
      const { id } = await begin(reporting);
      expect((await untilPhase(reporting.api, id, 'ready')).phase).toBe('ready');
      expect(namesOf(await events(reporting, id), 'began').slice(0, 8)).toEqual(FETCHING_STAGES);
      await remove(reporting, id);
    });

    it('a failure before anything answers is reported with its cause, and the token is dead then', async () => {
      await failAt('docker', 'Docker could not be installed');
      const { id } = await begin(reporting);
      await expectFailure(reporting, id, 'docker', 'Docker could not be installed');
      const [row] = await installation.query<{ hash: string | null; report: { seq: number } }>(
        `SELECT callback_token_hash AS hash, report FROM provisioning_references WHERE client_id = '${id}'`,
      );
      expect(row?.hash).toBeNull();
      await remove(reporting, id);
    });

    it('keeps no token: only its hash, while it is good', async () => {
      await installation.emulator.addFault({ method: 'POST', times: 1, callbacks: 'lose' });
      const { id } = await begin(reporting);
      const [row] = await until(
        () =>
          installation.query<{ provisioning: string; hash: string | null }>(
            `SELECT id AS provisioning, callback_token_hash AS hash FROM provisioning_references WHERE client_id = '${id}'`,
          ),
        ([seen]) => seen?.hash !== null,
      );
      const file = await until(
        async () =>
          (await installation.emulator.servers())
            .flatMap(({ files }) => files)
            .find(({ content }) => content.includes(`/callbacks/${row?.provisioning}"`)),
        (seen) => seen !== undefined,
      );
      expect(file).toMatchObject({ path: '/opt/agent-manager/callback.curlrc', permissions: '0600' });
      const token = /Bearer ([\w-]+)/.exec(file?.content ?? '')?.[1] ?? '';
      expect(token.length).toBeGreaterThan(40);
      expect(file?.content).toContain(`url = "${publicUrl}/api/provisioning/callbacks/${row?.provisioning}"`);
      expect(await installation.everythingStored()).not.toContain(token);
      expect(await reporting.wholeLog()).not.toContain(token);
      await untilPhase(reporting.api, id, 'ready');
      const late = await post(`/${row?.provisioning}`, '{}', `Bearer ${token}`);
      expect(late.status).toBe(401);
      await remove(reporting, id);
    });

    it.each([
      ['no token', '/6f9619ff-8b86-4d01-b42d-00cf4fc964ff', '{}', undefined, 401, 'unauthorized'],
      ['a token of nobody', '/6f9619ff-8b86-4d01-b42d-00cf4fc964ff', '{}', 'Bearer x', 401, 'unauthorized'],
      ["the caller's key", '/6f9619ff-8b86-4d01-b42d-00cf4fc964ff', '{}', 'key', 401, 'unauthorized'],
      ['no id', '/x', '{}', 'Bearer x', 401, 'unauthorized'],
      [
        'a long body',
        '/6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
        JSON.stringify('x'.repeat(20_000)),
        'Bearer x',
        413,
        'payload-too-large',
      ],
      ['no JSON', '/6f9619ff-8b86-4d01-b42d-00cf4fc964ff', '{', 'Bearer x', 400, 'malformed-body'],
    ])('refuses %s', async (_what, path, body, authorization, status, code) => {
      const answer = await post(path, body, authorization === 'key' ? `Bearer ${installation.apiKey}` : authorization);
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
    });

    function post(path: string, body: string, authorization: string | undefined): Promise<Response> {
      const headers = { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) };
      return fetch(`${publicUrl}/api/provisioning/callbacks${path}`, { method: 'POST', headers, body });
    }
  });
});

function namesOf(events: ProvisioningEventView[], state: 'began' | 'ended'): unknown[] {
  return events
    .filter(({ type, data }) => type === 'stage' && data?.['state'] === state)
    .map(({ data }) => data?.['stage']);
}
