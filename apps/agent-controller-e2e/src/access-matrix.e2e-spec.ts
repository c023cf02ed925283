import { ROLES, type Role } from '@agent-controller/kernel';
import { randomUUID } from 'node:crypto';
import { Api, type Answer } from './support/api';
import { newKey } from './support/api-keys';
import { Installation, type Controller } from './support/controller-process';
import { provision, untilPhase } from './support/provision';

type Caller = Role | 'nobody' | 'stranger';
type Whose = 'own' | 'foreign' | 'none';

interface Row {
  /** The least role; `public`: anybody. */
  role: Role | 'public';
  body?: unknown;
  /** Which client `:id` stands for; without it the route is of no client. */
  client?: 'registered' | 'provisioned';
  /** What a caller is answered who may. Nothing here changes what the next call meets. */
  allowed: number;
}

const CHANGE = { description: 'changed' };
/** Every route of the controller. A new one must be given a row. */
const ROWS: Record<string, Row> = {
  'GET /api/health': { role: 'public', allowed: 200 },
  'GET /api/health/live': { role: 'public', allowed: 200 },
  'GET /api/health/ready': { role: 'public', allowed: 200 },
  // It has tokens of its own, for servers: 401 is its own answer.
  'POST /api/provisioning/callbacks/:id': { role: 'public', body: {}, allowed: 401 },
  'POST /api/provisioning/bootstrap/:id': { role: 'public', body: {}, allowed: 401 },
  'GET /metrics': { role: 'viewer', allowed: 200 },
  'GET /api/docs': { role: 'viewer', allowed: 200 },
  'GET /api/openapi.json': { role: 'viewer', allowed: 200 },
  'GET /api/audit': { role: 'admin', allowed: 200 },
  'GET /api/clients': { role: 'viewer', allowed: 200 },
  // What is wrong with the body is said only to who may.
  'POST /api/clients': { role: 'operator', body: {}, allowed: 400 },
  'GET /api/clients/:id': { role: 'viewer', client: 'registered', allowed: 200 },
  'PATCH /api/clients/:id': { role: 'operator', client: 'registered', body: CHANGE, allowed: 200 },
  'POST /api/clients/:id': { role: 'operator', client: 'registered', body: CHANGE, allowed: 200 },
  'DELETE /api/clients/:id': { role: 'operator', client: 'provisioned', allowed: 409 },
  'GET /api/clients/provisioning/providers': { role: 'viewer', allowed: 200 },
  'GET /api/clients/provisioning/providers/:providerType/server-types': { role: 'viewer', allowed: 200 },
  'GET /api/clients/provisioning/providers/:providerType/locations': { role: 'viewer', allowed: 200 },
  'GET /api/clients/provisioning/providers/:providerType/images': { role: 'viewer', allowed: 200 },
  'POST /api/clients/provisioning/preview': { role: 'operator', body: {}, allowed: 400 },
  'POST /api/clients/provisioning/provision': { role: 'operator', body: {}, allowed: 400 },
  'GET /api/clients/provisioning/abandoned': { role: 'viewer', allowed: 200 },
  // Whose they are is not known, so they are nobody's but an admin's.
  'GET /api/clients/provisioning/orphans': { role: 'admin', allowed: 200 },
  'POST /api/clients/provisioning/orphans/resume': { role: 'admin', allowed: 200 },
  'POST /api/clients/provisioning/orphans/:providerType/:serverId/adopt': { role: 'admin', body: {}, allowed: 404 },
  'DELETE /api/clients/provisioning/orphans/:providerType/:serverId': { role: 'admin', allowed: 204 },
  'GET /api/clients/:id/provisioning/info': { role: 'viewer', client: 'provisioned', allowed: 200 },
  'GET /api/clients/:id/provisioning/events': { role: 'viewer', client: 'provisioned', allowed: 200 },
  'POST /api/clients/:id/provisioning/retry': { role: 'operator', client: 'provisioned', allowed: 409 },
  // Of a client that was deleted before, so that it may be deleted as often as one likes.
  'DELETE /api/clients/:id/provisioning': { role: 'operator', client: 'provisioned', allowed: 204 },
};
/** Besides the page itself: what it loads. */
const OF_DOCS = /^\/api\/docs[/-]/;

interface DeclaredRoute {
  method: string;
  url: string;
  role: string;
}

describe('who may call what', () => {
  const keys = {
    viewer: newKey('alice', 'viewer'),
    operator: newKey('alice', 'operator'),
    admin: newKey('root', 'admin'),
    bob: newKey('bob', 'operator'),
  };
  const ids: Record<'alice' | 'bob', Record<'registered' | 'provisioned' | 'deleted', string>> = {
    alice: { registered: '', provisioned: '', deleted: '' },
    bob: { registered: '', provisioned: '', deleted: '' },
  };
  let installation: Installation;
  let controller: Controller;
  let routes: DeclaredRoute[];

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController({
      API_KEYS: Object.values(keys)
        .map(({ entry }) => entry)
        .join(),
      LOG_LEVEL: 'debug',
    });
    const line = controller
      .log()
      .split('\n')
      .find((each) => each.includes('"routes":['));
    routes = (JSON.parse(line ?? '{"routes":[]}') as { routes: DeclaredRoute[] }).routes;
    await Promise.all([prepare('alice', keys.operator.key), prepare('bob', keys.bob.key)]);
  });
  afterAll(() => installation.dispose());

  async function prepare(owner: 'alice' | 'bob', key: string): Promise<void> {
    const api = new Api(controller.url, key);
    const agent = { endpoint: 'https://agent.example.com', authenticationType: 'api_key', apiKey: 'k' };
    const registered = await api.post<{ id: string }>('/api/clients', { ...agent, name: 'registered' });
    const kept = await provision(api, { name: 'kept' });
    const deleted = await provision(api, { name: 'deleted' });
    await untilPhase(api, kept.body.id, 'ready');
    const gone = await api.delete(`/api/clients/${deleted.body.id}/provisioning`, { prefer: 'wait=120' });
    expect(gone.status).toBe(204);
    ids[owner] = { registered: registered.body.id, provisioned: kept.body.id, deleted: deleted.body.id };
  }

  /** A missing key, and one that nobody has. */
  const apiOf = (caller: Caller) =>
    new Api(controller.url, caller === 'nobody' ? '' : caller === 'stranger' ? 'x'.repeat(40) : keys[caller].key);

  function pathOf(route: string, { client }: Row, whose: Whose): string {
    const [, path = ''] = route.split(' ');
    const of = ids[whose === 'own' ? 'alice' : 'bob'];
    const kind = route === 'DELETE /api/clients/:id/provisioning' ? 'deleted' : client;
    const id = kind && whose !== 'none' ? of[kind] : randomUUID();
    return path.replace(':id', id).replace(':providerType', 'hetzner').replace(':serverId', '4711');
  }

  function call(caller: Caller, route: string, row: Row, whose: Whose): Promise<Answer> {
    const [method] = route.split(' ');
    const [api, path] = [apiOf(caller), pathOf(route, row, whose)];
    if (method === 'POST') return api.post(path, row.body);
    if (method === 'PATCH') return api.patch(path, row.body);
    if (method === 'DELETE') return api.delete(path);
    // The page of the documentation is no JSON.
    return api.open(path).then(async ({ status, headers }) => ({ status, headers, body: undefined }));
  }

  function expected(caller: Caller, row: Row, whose: Whose): number {
    if (row.role === 'public') return row.allowed;
    if (caller === 'nobody' || caller === 'stranger') return 401;
    if (ROLES.indexOf(caller) < ROLES.indexOf(row.role)) return 403;
    if (!row.client) return row.allowed;
    // What is another's does not exist.
    if (whose === 'none' || (whose === 'foreign' && caller !== 'admin')) return 404;
    return row.allowed;
  }

  it('has a row here for every route that is registered, with its role', () => {
    const methods = routes.filter(({ method, url }) => method !== 'HEAD' && !OF_DOCS.test(url));
    const found = methods.map(({ method, url, role }) => [`${method} ${url.replace(/(.)\/$/, '$1')}`, role]);
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(Object.entries(ROWS).map(([route, { role }]) => [route, role])),
    );
    expect(methods.length).toBeGreaterThan(20);
    const others = routes.filter(({ method, url }) => method === 'HEAD' || OF_DOCS.test(url));
    for (const { method, url, role } of others) {
      const same = ROWS[`GET ${url.replace(/(.)\/$/, '$1')}`];
      expect([method, url, role]).toEqual([method, url, same?.role ?? 'viewer']);
    }
  });

  describe.each(Object.entries(ROWS))('%s', (route, row) => {
    const callers: Caller[] = ['nobody', 'stranger', ...ROLES];
    it.each(callers)('%s', async (caller) => {
      for (const whose of ['own', 'foreign', 'none'] as const) {
        const { status } = await call(caller, route, row, whose);
        expect([whose, status]).toEqual([whose, expected(caller, row, whose)]);
      }
    });
  });

  it('answers HEAD as GET, and what is no route 404 only to who may call anything', async () => {
    const head = (key: string) =>
      fetch(`${controller.url}/api/audit`, { method: 'HEAD', headers: { authorization: `Bearer ${key}` } });
    expect((await head('wrong')).status).toBe(401);
    expect((await head(keys.operator.key)).status).toBe(403);
    expect((await head(keys.admin.key)).status).toBe(200);
    expect((await apiOf('stranger').get('/api/nothing')).status).toBe(401);
    expect((await apiOf('viewer').get('/api/nothing')).status).toBe(404);
  });

  it('names the role that is needed', async () => {
    const { body, headers } = await apiOf('viewer').delete(`/api/clients/${ids.alice.registered}`);
    expect(body).toMatchObject({ status: 403, code: 'forbidden', neededRole: 'operator' });
    expect(headers.get('www-authenticate')).toContain('error="insufficient_scope", scope="operator"');
  });

  it('lists to each caller what is theirs, and to admins what is whose', async () => {
    const list = async (caller: Caller, query = '') => {
      const { body } = await apiOf(caller).get<{ id: string; owner: string }[]>(`/api/clients${query}`);
      return body.map(({ id }) => id).sort();
    };
    const [alices, bobs] = [ids.alice, ids.bob].map(({ registered, provisioned }) => [registered, provisioned].sort());
    expect(await list('operator')).toEqual(alices);
    expect(await list('viewer')).toEqual(alices);
    expect(await list('viewer', '?owner=api-key:bob')).toEqual([]);
    expect(await list('viewer', '?owner=api-key:alice')).toEqual(alices);
    expect(await list('admin')).toEqual([...(alices ?? []), ...(bobs ?? [])].sort());
    expect(await list('admin', '?owner=api-key:bob')).toEqual(bobs);
    const first = await apiOf('admin').get('/api/clients?owner=api-key:bob&limit=1');
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await apiOf('admin').get<{ owner: string }[]>(next);
    expect(second.body).toMatchObject([{ owner: 'api-key:bob' }]);
    expect(second.headers.get('link')).toBeNull();
  });

  it('gives each owner the same names, and the same idempotency keys', async () => {
    const once = { 'idempotency-key': 'the-same' };
    const order = { providerType: 'hetzner', serverType: 'cx23', authenticationType: 'api_key', name: 'twice' };
    const path = '/api/clients/provisioning/provision';
    const made = await Promise.all(
      [keys.operator, keys.bob, keys.admin].map(({ key }) =>
        new Api(controller.url, key).post<{ id: string }>(path, order, once),
      ),
    );
    expect(made.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(made.map(({ body }) => body.id)).size).toBe(3);
  });

  it('has an admin delete what is another’s', async () => {
    const api = apiOf('admin');
    const answer = await api.delete(`/api/clients/${ids.bob.provisioned}/provisioning`, { prefer: 'wait=120' });
    expect(answer.status).toBe(204);
    expect((await new Api(controller.url, keys.bob.key).get(`/api/clients/${ids.bob.provisioned}`)).status).toBe(404);
  });
});
