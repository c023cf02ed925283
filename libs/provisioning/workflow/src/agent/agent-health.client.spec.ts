import type { AgentCredentials } from '@agent-controller/clients';
import { OutboundGuard } from '@agent-controller/outbound';
import { loopbackGuard } from '@agent-controller/outbound/testing';
import { createServerTls, type ServerTls } from '@agent-controller/provisioning-bootstrap';
import { AgentServer, type Answers } from '../testing/agent-server';
import { KeycloakServer, type TokenAnswer } from '../testing/keycloak-server';
import { AgentHealthClient } from './agent-health.client';
import { reportWith } from '../testing/server-report.fixture';

const KEY = 'Sup3rS3cret';
const apiKey: AgentCredentials = { type: 'api_key', apiKey: KEY };
const CONFIG = { gitRepositoryUrl: 'https://git.example.com/x.git', agentTypes: ['cursor'] };
const signal = new AbortController().signal;

/** An agent-manager as it should be, with one answer changed at will. */
function answers(changes: Answers = {}): Answers {
  return {
    '/api/health': () => ({ status: 200, body: '{"status":"ok"}' }),
    '/api/config': ({ headers }) =>
      headers.authorization === `Bearer ${KEY}` ? { status: 200, body: JSON.stringify(CONFIG) } : { status: 401 },
    ...changes,
  };
}

describe('AgentHealthClient', () => {
  const client = new AgentHealthClient(loopbackGuard());
  let tls: ServerTls;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(() => {
    tls = createServerTls('client-1', new Date());
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  async function agentWith(given: Answers): Promise<AgentServer> {
    const agent = await AgentServer.start(tls, given);
    stops.push(() => agent.stop());
    return agent;
  }

  async function check(given: Answers, credentials: AgentCredentials = apiKey) {
    return client.check((await agentWith(given)).target, credentials, signal);
  }

  describe('check', () => {
    it('is ready when it is healthy, refuses strangers and accepts us; strangers come first', async () => {
      const agent = await agentWith(answers());
      expect(await client.check(agent.target, apiKey, signal)).toEqual({
        state: 'ready',
        config: CONFIG,
        warnings: [],
      });
      expect(agent.requests).toEqual([
        { path: '/api/health', authorization: undefined },
        { path: '/api/config', authorization: undefined },
        { path: '/api/config', authorization: `Bearer ${KEY}` },
      ]);
    });

    it('takes "too many requests" for a sign of life', async () => {
      expect(await check(answers({ '/api/health': () => ({ status: 429 }) }))).toMatchObject({ state: 'ready' });
    });

    it.each([404, 500, 502, 503, 301, 204])('is not ready while health answers %i', async (status) => {
      const agent = await agentWith(answers({ '/api/health': () => ({ status }) }));
      expect(await client.check(agent.target, apiKey, signal)).toEqual({
        state: 'not-ready',
        reason: `/api/health answers ${status}`,
      });
      expect(agent.requests).toHaveLength(1);
    });

    it.each([200, 404, 429, 500])(
      'is not ready while config answers strangers %i, and shows them no key',
      async (status) => {
        const agent = await agentWith(answers({ '/api/config': () => ({ status, body: JSON.stringify(CONFIG) }) }));
        expect(await client.check(agent.target, apiKey, signal)).toEqual({
          state: 'not-ready',
          reason: `/api/config answers ${status} to a caller without credentials, not 401`,
        });
        expect(agent.requests.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
      },
    );

    it('accepts 403 for strangers', async () => {
      const given = answers({
        '/api/config': ({ headers }) => (headers.authorization ? { status: 200, body: '{}' } : { status: 403 }),
      });
      expect(await check(given)).toEqual({
        state: 'ready',
        config: { gitRepositoryUrl: null, agentTypes: [] },
        warnings: [],
      });
    });

    it('is not ready when it refuses our credentials, and does not show them', async () => {
      const result = await check(answers({ '/api/config': () => ({ status: 401 }) }));
      expect(result).toEqual({ state: 'not-ready', reason: '/api/config answers 401 to our credentials' });
      expect(JSON.stringify(result)).not.toContain(KEY);
    });

    it.each(['not JSON', '[]', '{"agentTypes": "cursor"}', 'null', ''])(
      'is not ready when config answers %j',
      async (body) => {
        const given = answers({
          '/api/config': ({ headers }) => (headers.authorization ? { status: 200, body } : { status: 401 }),
        });
        expect(await check(given)).toEqual({
          state: 'not-ready',
          reason: '/api/config answers no configuration',
        });
      },
    );

    it('is not asked at an address that is not public, whatever the provider said', async () => {
      const agent = await agentWith(answers());
      const strict = new AgentHealthClient(
        new OutboundGuard({ allowedHosts: ['*'], allowedNetworks: [], configuredUrls: [] }),
      );
      const why =
        'it is not called: 127.0.0.1 is no public address (loopback): ask the operator to add its network to OUTBOUND_ALLOWED_NETWORKS';
      expect(await strict.check(agent.target, apiKey, signal)).toEqual({
        state: 'not-ready',
        reason: `The agent-manager does not answer: ${why}`,
      });
      expect(await strict.recheck(agent.target, apiKey, signal)).toEqual({ state: 'unreachable', reason: why });
      expect(await strict.look(agent.target, signal)).toEqual({
        state: 'silent',
        reason: `The server's proxy does not answer yet: ${why}`,
      });
      const byName = { ...agent.target, endpoint: agent.target.endpoint.replace('127.0.0.1', 'localhost') };
      expect(await client.check(byName, apiKey, signal)).toMatchObject({ state: 'not-ready' });
      expect(agent.connections).toBe(0);
    });

    it('does not follow where an agent-manager sends it', async () => {
      const other = await agentWith(answers());
      const location = `${other.target.endpoint}/api/health`;
      const redirect: Answers[string] = () => (_request, response) => void response.writeHead(302, { location }).end();
      for (const path of ['/api/health', '/api/config']) {
        expect(await check(answers({ [path]: redirect }))).toMatchObject({ state: 'not-ready' });
      }
      expect(other.connections).toBe(0);
    });

    it('is not ready where nobody, or another, answers', async () => {
      const agent = await agentWith(answers());
      const { target } = agent;
      const other = { ...target, spkiSha256: Buffer.alloc(32).toString('base64') };
      expect(await client.check(other, apiKey, signal)).toEqual({
        state: 'not-ready',
        reason: 'The agent-manager does not answer: another key answers there',
      });
      expect(agent.requests).toEqual([]);
      await stops.pop()?.();
      expect(await client.check(target, apiKey, signal)).toEqual({
        state: 'not-ready',
        reason: 'The agent-manager does not answer: ECONNREFUSED',
      });
    });
  });

  describe('look', () => {
    const STATUS = '/.well-known/agent-controller/status';

    it('brings what the server says of itself', async () => {
      const report = reportWith({ seq: 4 });
      const { target } = await agentWith(answers({ [STATUS]: () => ({ status: 200, body: JSON.stringify(report) }) }));
      expect(await client.look(target, signal)).toEqual({ state: 'answers', report, check: null });
    });

    it.each([
      [200, 'no JSON'],
      [200, '{"version": 2}'],
      [404, ''],
      [502, ''],
    ])('knows by the pinned key that it answers, even %i %s', async (status, body) => {
      const { target } = await agentWith(answers({ [STATUS]: () => ({ status, body }) }));
      expect(await client.look(target, signal)).toEqual({ state: 'answers', report: null, check: null });
    });

    it.each([
      ['is up', { status: 200 }, 'ready'],
      ['counts its callers', { status: 429 }, 'ready'],
      ['is not up', { status: 503 }, '/api/health answers 503'],
      ['breaks the connection', null, 'The agent-manager does not answer: ECONNRESET'],
    ])('checks the agent-manager as well, which %s', async (_what, health, outcome) => {
      const report = reportWith({ seq: 4 });
      const status = { status: 200, body: JSON.stringify(report) };
      const agent = await agentWith(
        answers({ [STATUS]: () => status, '/api/health': ({ socket }) => health ?? (() => void socket.destroy()) }),
      );
      const said: unknown[] = [];
      const look = await client.look(agent.target, signal, (each) => (said.push(each) > 0 ? apiKey : null));
      expect(look).toMatchObject({ state: 'answers', report });
      const { check } = look as Extract<typeof look, { state: 'answers' }>;
      expect(check?.state === 'not-ready' ? check.reason : check?.state).toBe(outcome);
      expect(said).toEqual([report]);
      expect(agent.connections).toBe(health === null ? 2 : 1);
    });

    it('asks the agent-manager nothing where no check is wanted', async () => {
      const agent = await agentWith(answers({ [STATUS]: () => ({ status: 404 }) }));
      expect(await client.look(agent.target, signal, () => null)).toMatchObject({ check: null });
      expect(agent.requests.map(({ path }) => path)).toEqual([STATUS]);
    });

    it('says that another answers, or nobody', async () => {
      const { target } = await agentWith(answers());
      const other = { ...target, spkiSha256: 'x' };
      expect(await client.look(other, signal)).toEqual({
        state: 'silent',
        reason: "The server's proxy does not answer yet: another key answers there",
      });
      await stops.pop()?.();
      expect(await client.look(target, signal)).toEqual({
        state: 'silent',
        reason: "The server's proxy does not answer yet: ECONNREFUSED",
      });
    });
  });

  describe('with Keycloak', () => {
    let asked: KeycloakServer['asked'];

    async function keycloakWith(answer: TokenAnswer): Promise<AgentCredentials> {
      const keycloak = await KeycloakServer.start(answer, `client&secret=${KEY}`);
      stops.push(() => keycloak.stop());
      asked = keycloak.asked;
      return keycloak.credentials;
    }

    const tokenAnswer = { status: 200, body: JSON.stringify({ access_token: KEY }) };

    it('is ready with a token for our client credentials', async () => {
      const credentials = await keycloakWith(tokenAnswer);
      expect(await check(answers(), credentials)).toEqual({ state: 'ready', config: CONFIG, warnings: [] });
      expect(asked.map(({ url }) => url)).toEqual(['/auth/realms/my%20realm/protocol/openid-connect/token']);
      expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
        grant_type: 'client_credentials',
        client_id: 'agent-manager',
        client_secret: `client&secret=${KEY}`,
      });
    });

    const unverified = { state: 'ready', config: null, warnings: ['credentials-unverified'] };

    it('is ready with a warning where Keycloak cannot be reached', async () => {
      const credentials = await keycloakWith(tokenAnswer);
      await stops.pop()?.();
      expect(await check(answers(), credentials)).toEqual(unverified);
    });

    it.each([
      ['is ill', { status: 503, body: 'x' }],
      ['leads elsewhere', { status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } }],
    ])('is ready with a warning where Keycloak %s', async (_what, answer) => {
      expect(await check(answers(), await keycloakWith(answer))).toEqual(unverified);
    });

    it('is not ready with that warning when it lets strangers in', async () => {
      const open = answers({ '/api/config': () => ({ status: 200, body: '{}' }) });
      expect(await check(open, await keycloakWith({ status: 503, body: '' }))).toMatchObject({ state: 'not-ready' });
      expect(asked).toEqual([]);
    });

    it('does not ask a Keycloak whose host is not allowed, nor one whose name leads elsewhere by now', async () => {
      const credentials = (await keycloakWith(tokenAnswer)) as Extract<AgentCredentials, { type: 'keycloak' }>;
      const { target } = await agentWith(answers());
      const strict = new AgentHealthClient(loopbackGuard(['login.example.com']));
      expect(await strict.check(target, credentials, signal)).toEqual(unverified);
      expect(await strict.recheck(target, credentials, signal)).toEqual({ state: 'unverified' });

      const addresses = ['127.0.0.1', '10.0.0.1'];
      const rebound = new AgentHealthClient(
        loopbackGuard(['login.example.com'], async () => [{ address: addresses.shift() ?? '', family: 4 }]),
      );
      const named = {
        ...credentials,
        authServerUrl: credentials.authServerUrl.replace('127.0.0.1', 'login.example.com'),
      };
      expect(await rebound.check(target, named, signal)).toMatchObject({ state: 'ready', warnings: [] });
      expect(await rebound.check(target, named, signal)).toEqual(unverified);
      expect(asked).toHaveLength(1);
    });

    it.each([400, 401, 403])('is not ready when Keycloak answers %i, and shows no secret', async (status) => {
      const result = await check(answers(), await keycloakWith({ status, body: KEY }));
      expect(result).toEqual({ state: 'not-ready', reason: `Keycloak refuses the client's credentials (${status})` });
    });

    it('is not ready when Keycloak gives no token', async () => {
      const result = await check(answers(), await keycloakWith({ status: 200, body: '{"token": 1}' }));
      expect(result).toEqual({ state: 'not-ready', reason: 'Keycloak answered without a token' });
    });

    it('is not ready when the agent-manager refuses the token', async () => {
      const credentials = await keycloakWith({ status: 200, body: '{"access_token": "another"}' });
      expect(await check(answers(), credentials)).toEqual({
        state: 'not-ready',
        reason: '/api/config answers 401 to our credentials',
      });
    });

    it('does not take its own end for an unreachable Keycloak', async () => {
      const gone = new AbortController();
      const credentials = await keycloakWith(tokenAnswer);
      const agent = await agentWith(
        answers({
          '/api/config': () => {
            gone.abort();
            return { status: 401 };
          },
        }),
      );
      expect(await client.check(agent.target, credentials, gone.signal)).toMatchObject({ state: 'not-ready' });
    });
  });
});
