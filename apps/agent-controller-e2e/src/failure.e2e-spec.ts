import type { ProvisionedClientView } from '@agent-controller/contracts';
import { Installation, type Controller } from './support/controller-process';
import { info, provision, untilPhase } from './support/provision';

const WAIT = { prefer: 'wait=60' };
const ORDER = { method: 'POST', path: '^/servers$' };

interface FailedProblem {
  code: string;
  clientId: string;
  detail: string;
}

describe('what goes wrong is told, kept, and can be retried', () => {
  let installation: Installation;
  let controller: Controller;

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController();
  });
  afterEach(async () => {
    await installation.emulator.clearFaults();
    const { body } = await controller.api.get<{ id: string }[]>('/api/clients');
    for (const { id } of body) await controller.api.delete(`/api/clients/${id}/provisioning`, WAIT);
    expect(await installation.emulator.serverNames()).toEqual([]);
  });
  afterAll(() => installation.dispose());

  it('an account limit: 502 with the client and where it is; the retry tells the generated key and becomes ready', async () => {
    const limit = { error: { code: 'resource_limit_exceeded', message: 'server limit exceeded', details: null } };
    await installation.emulator.addFault({ ...ORDER, status: 403, body: limit, times: 1 });
    const failed = await provision(controller.api, { gitToken: 'a git token' }, WAIT);
    const problem = failed.body as unknown as FailedProblem;
    expect(failed.status).toBe(502);
    expect(failed.headers.get('content-type')).toContain('application/problem+json');
    expect(failed.headers.get('location')).toBe(`/api/clients/${problem.clientId}/provisioning/info`);
    expect(problem).toMatchObject({
      code: 'provisioning-failed',
      failure: { code: 'provider-quota', providerCode: 'resource_limit_exceeded' },
    });
    expect(problem.detail).toContain('server limit exceeded');
    expect(await info(controller.api, problem.clientId)).toMatchObject({ phase: 'failed', serverId: null });

    const retried = await controller.api.post<ProvisionedClientView>(
      `/api/clients/${problem.clientId}/provisioning/retry`,
    );
    expect(retried.status).toBe(202);
    expect(retried.body.apiKey).toMatch(/^[\w-]{40,}$/);
    const ready = await untilPhase(controller.api, problem.clientId, 'ready');
    expect(ready).toMatchObject({ phase: 'ready', attempt: 2, lastError: null });
    const [server] = await installation.emulator.servers();
    expect(server?.agentEnvironment).toMatchObject({ GIT_TOKEN: 'a git token', STATIC_API_KEY: retried.body.apiKey });
    const again = await controller.api.post<{ code: string }>(`/api/clients/${problem.clientId}/provisioning/retry`);
    expect(again).toMatchObject({ status: 409, body: { code: 'not-retryable' } });
  });

  it('no room at the location: names where there is', async () => {
    const full = { error: { code: 'resource_unavailable', message: 'error during placement', details: null } };
    await installation.emulator.addFault({ ...ORDER, status: 412, body: full, times: 1 });
    const { body } = await provision(controller.api, { location: 'nbg1' });
    const { lastError } = await untilPhase(controller.api, body.id, 'failed');
    expect(lastError?.code).toBe('provider-capacity');
    expect(lastError?.action).toContain('fsn1, hel1');
  });

  it.each([
    ['a lost answer', { dropAnswer: true, times: 1 }, 1],
    ['an HTML 502', { status: 502, body: '<html>Bad Gateway</html>', times: 1 }, 2],
  ])('%s to an order: looks before it orders again, so there is one server', async (_name, fault, expected) => {
    const countOrders = async () =>
      (await installation.emulator.requests()).filter(
        ({ path, method }) => method === 'POST' && path.endsWith('/servers'),
      ).length;
    const before = await countOrders();
    await installation.emulator.addFault({ ...ORDER, ...fault });
    expect(await provision(controller.api, {}, { prefer: 'wait=150' })).toMatchObject({ status: 201 });
    expect((await countOrders()) - before).toBe(expected);
    expect(await installation.emulator.serverNames()).toHaveLength(1);
  });

  it('a server that never answers: times out, names what was last seen, and a retry replaces it', async () => {
    await controller.stop();
    const impatient = await installation.startController({ PROVISIONING_TIMEOUT_SECONDS: '10' });
    await installation.emulator.addFault({ ...ORDER, bootFailure: true, times: 1 });
    const { body } = await provision(impatient.api);
    const failed = await untilPhase(impatient.api, body.id, 'failed');
    await impatient.stop();
    controller = await installation.startController();
    expect(failed.lastError).toMatchObject({ code: 'timed-out', phase: 'installing' });
    expect(failed.lastError?.message).toContain('Last seen: The server');
    expect(await installation.emulator.serverNames()).toHaveLength(1);

    expect((await controller.api.post(`/api/clients/${body.id}/provisioning/retry`)).status).toBe(202);
    const ready = await untilPhase(controller.api, body.id, 'ready');
    expect(ready).toMatchObject({ phase: 'ready', attempt: 2 });
    expect(ready.serverName).toMatch(/-2$/);
    expect(ready.serverId).not.toBe(failed.serverId);
    expect(await installation.emulator.serverNames()).toHaveLength(1);
  });

  it('a revoked token: fails with what to do, and a retry goes on once the token is good again', async () => {
    await controller.api.get('/api/clients/provisioning/providers/hetzner/server-types');
    await installation.emulator.setTokenRevoked(true);
    const { body } = await provision(controller.api);
    const failed = await untilPhase(controller.api, body.id, 'failed');
    expect(failed.lastError).toMatchObject({ code: 'provider-auth' });
    await installation.emulator.setTokenRevoked(false);
    await controller.api.post(`/api/clients/${body.id}/provisioning/retry`);
    expect((await untilPhase(controller.api, body.id, 'ready')).phase).toBe('ready');
  });
});
