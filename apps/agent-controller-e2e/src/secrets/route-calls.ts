import type { Sent } from './leak-hunt';

/** Ids that stand in paths. */
export interface CalledClients {
  registered: string;
  provisioned: string;
}

interface RouteCall {
  path?: (ids: CalledClients) => string;
  body?: (secret: string) => Record<string, unknown>;
}

const registered = { path: ({ registered: id }: CalledClients) => `/api/clients/${id}` };
const ofProvisioned = (rest: string): RouteCall => ({
  path: ({ provisioned: id }) => `/api/clients/${id}${rest}`,
});
const ofProvider = (rest: string): RouteCall => ({ path: () => `/api/clients/provisioning/providers/hetzner${rest}` });
const credentials = (secret: string) => ({ authenticationType: 'api_key', apiKey: secret });
const order = (secret: string) => ({
  ...{ providerType: 'hetzner', serverType: 'cx33', authenticationType: 'keycloak', name: 'with every secret' },
  ...{ apiKey: secret, keycloakClientId: 'c', keycloakClientSecret: secret, keycloakRealm: 'r' },
  ...{
    keycloakAuthServerUrl: `https://user:${secret}@id.example.com`,
    gitRepositoryUrl: `https://u:${secret}@git.example`,
  },
  ...{ gitUsername: 'robot', gitToken: secret, gitPassword: secret, gitPrivateKey: secret, cursorApiKey: secret },
  ...{ environment: { FURTHER: secret, lower: secret }, sshKeys: [`ssh-ed25519 ${secret}`], fallback: [{ x: secret }] },
});
const report = (secret: string) => ({ version: 1, seq: 1, state: secret, error: { cause: secret, logTail: [secret] } });

/** Every route of the controller. A new one must be given a line: with a body, where it takes any. */
export const ROUTE_CALLS: Record<string, RouteCall> = {
  'GET /api/health': {},
  'GET /api/health/live': {},
  'GET /api/health/ready': {},
  'POST /api/provisioning/callbacks/:id': {
    path: ({ provisioned }) => `/api/provisioning/callbacks/${provisioned}`,
    body: report,
  },
  'POST /api/provisioning/bootstrap/:id': {
    path: ({ provisioned }) => `/api/provisioning/bootstrap/${provisioned}`,
    body: (secret) => ({ attempt: 1, publicKey: secret, sentAt: 0, signature: secret }),
  },
  'GET /metrics': {},
  'GET /api/docs': {},
  'GET /api/openapi.json': {},
  'GET /api/audit': {},
  'GET /api/clients': {},
  'POST /api/clients': {
    body: (secret) => ({ ...credentials(secret), endpoint: `https://u:${secret}@agent.example` }),
  },
  'GET /api/clients/:id': registered,
  'PATCH /api/clients/:id': { ...registered, body: credentials },
  'POST /api/clients/:id': { ...registered, body: credentials },
  // Refused: it is provisioned.
  'DELETE /api/clients/:id': ofProvisioned(''),
  'GET /api/clients/provisioning/providers': {},
  'GET /api/clients/provisioning/providers/:providerType/server-types': ofProvider('/server-types'),
  'GET /api/clients/provisioning/providers/:providerType/locations': ofProvider('/locations'),
  'GET /api/clients/provisioning/providers/:providerType/images': ofProvider('/images'),
  'POST /api/clients/provisioning/preview': { body: order },
  'POST /api/clients/provisioning/provision': { body: order },
  'GET /api/clients/provisioning/abandoned': {},
  'GET /api/clients/provisioning/orphans': {},
  'POST /api/clients/provisioning/orphans/resume': {},
  'POST /api/clients/provisioning/orphans/:providerType/:serverId/adopt': {
    path: () => '/api/clients/provisioning/orphans/hetzner/4711/adopt',
    body: credentials,
  },
  'DELETE /api/clients/provisioning/orphans/:providerType/:serverId': {
    path: () => '/api/clients/provisioning/orphans/hetzner/4711',
  },
  'GET /api/clients/:id/provisioning/info': ofProvisioned('/provisioning/info'),
  'GET /api/clients/:id/provisioning/events': ofProvisioned('/provisioning/events'),
  'POST /api/clients/:id/provisioning/retry': ofProvisioned('/provisioning/retry'),
  // Of one that is gone: a deletion is driven elsewhere.
  'DELETE /api/clients/:id/provisioning': { path: () => '/api/clients/gone/provisioning' },
};

/** The route as it should be, and wrong in every way in which a secret may come along. */
export function variants(route: string, ids: CalledClients, secret: string): Sent[] {
  const [method = '', pattern = ''] = route.split(' ');
  const { path: pathOf, body } = ROUTE_CALLS[route] ?? {};
  const path = pathOf?.(ids) ?? pattern;
  const wrong = (headers: Record<string, string>) => ({ method, path, headers });
  const plain: Sent[] = [
    { method, path },
    { method, path: `${path}?token=${secret}&cursor=${secret}&limit=${secret}&location=${secret}&owner=${secret}` },
    wrong({ authorization: `Bearer ${secret}` }),
    wrong({ authorization: `Basic ${Buffer.from(`u:${secret}`).toString('base64')}` }),
    wrong({ prefer: `wait=${secret}`, 'last-event-id': secret, 'idempotency-key': `"${secret}` }),
    wrong({ cookie: `session=${secret}`, 'x-api-key': secret, 'x-forwarded-for': secret, accept: secret }),
  ];
  return body ? [...plain, ...wrongBodies(body(secret), secret).map((each) => ({ method, path, ...each }))] : plain;
}

function wrongBodies(body: Record<string, unknown>, secret: string): Pick<Sent, 'raw' | 'headers'>[] {
  const text = JSON.stringify(body);
  const json = (value: unknown) => ({ raw: JSON.stringify(value) });
  const fields = Object.keys(body).flatMap((field) => [
    json({ ...body, [field]: [secret] }),
    json({ ...body, [field]: { [field]: secret } }),
    json({ ...body, [field]: `${secret}\u0000` }),
    json({ ...body, [field]: secret.repeat(1_000) }),
  ]);
  return [
    { raw: text },
    { raw: text.slice(0, -2) },
    { raw: `{"apiKey": ${secret}}` },
    { raw: `{"__proto__": {"apiKey": "${secret}"}, "constructor": {"prototype": {"x": "${secret}"}}}` },
    { raw: text, headers: { 'content-type': 'text/plain' } },
    { raw: text, headers: { 'content-type': 'application/json; charset=utf-16' } },
    { raw: text, headers: { 'content-encoding': 'gzip' } },
    json(secret),
    json([secret]),
    json({ ...body, unknownField: secret }),
    json({ apiKey: secret.repeat(60_000) }),
    ...fields,
  ];
}
