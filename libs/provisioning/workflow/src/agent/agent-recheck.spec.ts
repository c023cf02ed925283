import type { AgentCredentials } from '@agent-controller/clients';
import { loopbackGuard } from '@agent-controller/outbound/testing';
import { createServerTls, type ServerTls } from '@agent-controller/provisioning-bootstrap';
import { AgentServer, type Answers } from '../testing/agent-server';
import { KeycloakServer, type TokenAnswer } from '../testing/keycloak-server';
import type { AgentLook } from './agent-health';
import { AgentHealthClient } from './agent-health.client';

const KEY = 'Sup3rS3cret';
const apiKey: AgentCredentials = { type: 'api_key', apiKey: KEY };
const tokenAnswer = { status: 200, body: JSON.stringify({ access_token: KEY }) };
const signal = new AbortController().signal;

/** An agent-manager as it should be, with one answer changed at will. */
function answers(changes: Answers = {}): Answers {
  return {
    '/api/health': () => ({ status: 200 }),
    '/api/config': ({ headers }) => ({ status: headers.authorization === `Bearer ${KEY}` ? 200 : 401 }),
    ...changes,
  };
}

describe('AgentHealthClient, looking again after ready', () => {
  const client = new AgentHealthClient(loopbackGuard());
  let tls: ServerTls;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    tls = await createServerTls('client-1', new Date());
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  async function agentWith(given: Answers): Promise<AgentServer> {
    const agent = await AgentServer.start(tls, given);
    stops.push(() => agent.stop());
    return agent;
  }

  async function keycloakWith(answer: TokenAnswer): Promise<KeycloakServer> {
    const keycloak = await KeycloakServer.start(answer, KEY);
    stops.push(() => keycloak.stop());
    return keycloak;
  }

  const recheck = async (given: Answers, credentials = apiKey) =>
    client.recheck((await agentWith(given)).target, credentials, signal);

  it('is healthy when it is up and accepts us; that takes two calls', async () => {
    const agent = await agentWith(answers());
    expect(await client.recheck(agent.target, apiKey, signal)).toEqual({ state: 'healthy' });
    expect(agent.requests).toEqual([
      { path: '/api/health', authorization: undefined },
      { path: '/api/config', authorization: `Bearer ${KEY}` },
    ]);
  });

  it.each([404, 500, 502, 503])('is unreachable while health answers %i, and shows no key', async (status) => {
    const agent = await agentWith(answers({ '/api/health': () => ({ status }) }));
    expect(await client.recheck(agent.target, apiKey, signal)).toEqual({
      state: 'unreachable',
      reason: `/api/health answers ${status}`,
    });
    expect(agent.requests).toEqual([{ path: '/api/health', authorization: undefined }]);
  });

  it.each([
    [401, 'credentials-refused'],
    [403, 'credentials-refused'],
    [404, 'unreachable'],
    [502, 'unreachable'],
  ])('tells by config, which answers %i, that it is %s', async (status, state) => {
    const seen = await recheck(answers({ '/api/config': () => ({ status, body: KEY }) }));
    expect(seen).toEqual({ state, reason: `/api/config answers ${status} to our credentials` });
  });

  it.each(['/api/health', '/api/config'])('takes "too many requests" at %s for a sign of life', async (path) => {
    const state = path === '/api/health' ? 'healthy' : 'unverified';
    expect(await recheck(answers({ [path]: () => ({ status: 429 }) }))).toEqual({ state });
  });

  it('is unreachable where nobody, or another, answers', async () => {
    const agent = await agentWith(answers());
    const { target } = agent;
    const other = { ...target, spkiSha256: Buffer.alloc(32).toString('base64') };
    expect(await client.recheck(other, apiKey, signal)).toEqual({
      state: 'unreachable',
      reason: 'another key answers there',
    });
    await stops.pop()?.();
    expect(await client.recheck(target, apiKey, signal)).toEqual({ state: 'unreachable', reason: 'ECONNREFUSED' });
  });

  it.each<[string, TokenAnswer, AgentLook]>([
    ['a token', tokenAnswer, { state: 'healthy' }],
    [
      'a token that the agent-manager refuses',
      { status: 200, body: '{"access_token": "another"}' },
      { state: 'credentials-refused', reason: '/api/config answers 401 to our credentials' },
    ],
    ...[400, 401, 403].map((status): [string, TokenAnswer, AgentLook] => [
      `${status}`,
      { status, body: KEY },
      { state: 'credentials-refused', reason: `Keycloak refuses the client's credentials (${status})` },
    ]),
    ['no such realm', { status: 404, body: '' }, { state: 'unverified' }],
    ['too many requests', { status: 429, body: '' }, { state: 'unverified' }],
    ['an error', { status: 503, body: '' }, { state: 'unverified' }],
    ['no token', { status: 200, body: '{}' }, { state: 'unverified' }],
  ])('looks with what Keycloak answers: %s', async (_what, answer, seen) => {
    const { credentials } = await keycloakWith(answer);
    expect(await client.recheck((await agentWith(answers())).target, credentials, signal)).toEqual(seen);
  });

  it('asks Keycloak for nothing while the agent-manager does not answer', async () => {
    const { credentials, asked } = await keycloakWith(tokenAnswer);
    const agent = await agentWith(answers({ '/api/health': () => ({ status: 502 }) }));
    expect(await client.recheck(agent.target, credentials, signal)).toMatchObject({ state: 'unreachable' });
    expect(asked).toEqual([]);
  });
});
