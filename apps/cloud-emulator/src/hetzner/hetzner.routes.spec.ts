import { EmulatedCloud, SERVER_ORDER } from '../emulated-cloud.fixture';
import { until } from '../server-call.fixture';

describe('the emulated Hetzner', () => {
  let cloud: EmulatedCloud;
  const order = (changes: object = {}) => cloud.hetzner().post('/servers', { ...SERVER_ORDER, ...changes });
  const untilNoServer = () =>
    until(
      () => cloud.names(),
      (all) => all.length === 0,
    );

  beforeAll(async () => (cloud = await EmulatedCloud.start()));
  afterAll(() => cloud?.close());
  beforeEach(() => cloud.newToken());

  it.each([
    ['a name that is no hostname', { name: 'no_host' }, 422, "invalid input in field 'name'"],
    ['no name', { name: undefined }, 422, "invalid input in field 'name'"],
    ['a name that is no text', { name: 5 }, 422, "invalid input in field 'name'"],
    ['long user data', { user_data: 'x'.repeat(32_769) }, 422, "invalid input in field 'user_data'"],
    ['long user data in few characters', { user_data: 'ü'.repeat(16_385) }, 422, "invalid input in field 'user_data'"],
    ['a reserved label', { labels: { 'hetzner.cloud/x': 'y' } }, 422, "invalid input in field 'labels'"],
    ['a long label', { labels: { x: 'y'.repeat(64) } }, 422, "invalid input in field 'labels'"],
    ['a label that is no text', { labels: { x: 5 } }, 422, "invalid input in field 'labels'"],
    ['an unknown image', { image: 'windows' }, 422, "invalid input in field 'image'"],
    ['a type that is gone', { server_type: 'cx22' }, 422, "invalid input in field 'server_type'"],
    ['a deprecated type', { server_type: 'cpx11' }, 422, 'server type is deprecated'],
    ['a place without the type', { location: 'ash' }, 422, 'unsupported location for server type'],
    ['an unknown place', { location: 'moon1' }, 422, "invalid input in field 'location'"],
    ['a datacenter', { datacenter: 'nbg1-dc3' }, 422, "invalid input in field 'datacenter'"],
    ['a type that is sold out', { server_type: 'cx53' }, 412, 'error during placement'],
    ['an unknown SSH key', { ssh_keys: [1] }, 404, 'SSH key not found'],
    ['an unknown firewall', { firewalls: [{ firewall: 1 }] }, 404, 'firewall not found'],
  ])('refuses an order with %s', async (_what, changes, status, message) => {
    const codes: Record<number, string> = { 404: 'not_found', 412: 'resource_unavailable', 422: 'invalid_input' };
    const answer = await order(changes);
    expect([answer.status, answer.data.error.code, answer.data.error.message]).toEqual([
      status,
      codes[status],
      message,
    ]);
    expect(await cloud.servers()).toEqual([]);
  });

  it('takes user data of exactly the limit', async () => {
    expect((await order({ user_data: 'x'.repeat(32_768) })).status).toBe(201);
  });

  it('refuses a name that is taken, until its server is gone', async () => {
    const first = await order();
    const second = await order();
    expect([first.status, second.status, second.data.error]).toEqual([
      201,
      409,
      expect.objectContaining({ code: 'uniqueness_error', message: 'server name is already used' }),
    ]);
    await cloud.hetzner().delete(`/servers/${first.data.server.id}`);
    await untilNoServer();
    expect((await cloud.hetzner().get(`/servers/${first.data.server.id}`)).data.error.code).toBe('not_found');
    expect((await order()).status).toBe(201);
  });

  it('refuses a body that is no JSON, with a code that says so', async () => {
    const headers = { authorization: `Bearer ${cloud.token}`, 'content-type': 'application/json' };
    const response = await fetch(`${cloud.url}/hetzner/v1/servers`, { method: 'POST', headers, body: '{' });
    const error = { code: 'json_error', message: 'invalid JSON input', details: null };
    expect([response.status, await response.json()]).toEqual([400, { error }]);
  });

  it('has no datacenters and no list of all actions any more (410)', async () => {
    const answers = await Promise.all(
      ['/datacenters', '/actions', '/nothing'].map((path) => cloud.hetzner().get(path)),
    );
    expect(answers.map(({ status, data }) => [status, data.error.code])).toEqual([
      [410, 'deprecated_api_endpoint'],
      [410, 'deprecated_api_endpoint'],
      [404, 'not_found'],
    ]);
  });

  it('lists images by type, deprecated ones only when asked, and has snapshots that need their disk', async () => {
    const names = async (query: string) => {
      const { data } = await cloud.hetzner().get(`/images?per_page=50&${query}`);
      return (data.images as { name: string | null }[]).map(({ name }) => name);
    };
    expect(await names('type=system&architecture=x86')).not.toContain('debian-11');
    expect(await names('type=system&architecture=x86&include_deprecated=true')).toContain('debian-11');
    expect(await names('type=app&type=snapshot')).toEqual(expect.arrayContaining(['docker-ce', null]));
    const { data } = await order({ server_type: 'cx33', image: '900001' });
    expect(data.server.image).toMatchObject({ id: 900_001, name: null, type: 'snapshot' });
    const refused = await order({ name: 'two', server_type: 'cx23', image: 900_001 });
    expect(refused.data.error.details.fields[0].messages).toEqual(['image disk is bigger than server type disk']);
  });

  it('takes images, types, places and keys by id as well, and makes a password only without a key', async () => {
    const { data: made } = await cloud.hetzner().post('/ssh_keys', {
      name: 'mine',
      public_key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM',
    });
    const byId = { server_type: 115, image: 311, location: 2, ssh_keys: [made.ssh_key.id] };
    const { data } = await order(byId);
    expect([data.server.server_type.name, data.server.image.name, data.server.location.name]).toEqual([
      'cx33',
      'debian-13',
      'nbg1',
    ]);
    expect(data.root_password).toBeNull();
    expect((await order({ name: 'two', ssh_keys: ['mine'] })).data.root_password).toBeNull();
    expect((await order({ name: 'three' })).data.root_password).toEqual(expect.any(String));
  });

  it('keeps a firewall while it is in use', async () => {
    const { data } = await cloud.hetzner().post('/firewalls', { name: 'wall', rules: [] });
    const { id } = data.firewall;
    expect((await cloud.hetzner().post('/firewalls', { name: 'wall' })).data.error.code).toBe('uniqueness_error');
    const { data: ordered } = await order({ firewalls: [{ firewall: id }] });
    expect(ordered.server.public_net.firewalls).toEqual([{ id, status: 'applied' }]);
    expect((await cloud.hetzner().get(`/firewalls/${id}`)).data.firewall.applied_to).toEqual([
      { type: 'server', server: { id: ordered.server.id } },
    ]);
    const refused = await cloud.hetzner().delete(`/firewalls/${id}`);
    expect([refused.status, refused.data.error.code]).toEqual([422, 'resource_in_use']);
    await cloud.hetzner().delete(`/servers/${ordered.server.id}`);
    await untilNoServer();
    expect((await cloud.hetzner().delete(`/firewalls/${id}`)).status).toBe(204);
  });

  it('finds servers by label selector and by name, page by page', async () => {
    for (const number of ['1', '2', '3']) {
      await order({ name: `n${number}`, labels: { group: number < '3' ? 'a' : 'b', number } });
    }
    const find = async (params: object) => (await cloud.hetzner().get('/servers', { params })).data;
    const found = async (params: object) => (await find(params)).servers.map(({ name }: { name: string }) => name);
    expect(await found({ label_selector: 'group=a' })).toEqual(['n1', 'n2']);
    expect(await found({ label_selector: 'group in (a,b),number!=2' })).toEqual(['n1', 'n3']);
    expect(await found({ name: 'n2' })).toEqual(['n2']);
    const { meta } = await find({ per_page: 2 });
    expect([meta.pagination.next_page, await found({ per_page: 2, page: 2 })]).toEqual([2, ['n3']]);
    const refused = await cloud.hetzner().get('/servers', { params: { label_selector: 'a in b' } });
    expect([refused.status, refused.data.error.code]).toEqual([422, 'invalid_input']);
  });

  it('ends an action with what it stands for', async () => {
    const { data } = await order();
    const ids = [data.action.id, ...data.next_actions.map(({ id }: { id: number }) => id)];
    const query = ids.map((id) => `id=${id}`).join('&');
    const ask = async (): Promise<{ command: string; status: string }[]> =>
      (await cloud.hetzner().get(`/actions?${query}`)).data.actions;
    const done = await until(ask, (actions) => actions.every(({ status }) => status === 'success'));
    expect(done.map(({ command }) => command)).toEqual(['create_server', 'start_server']);
    const ofServer = await cloud.hetzner().get(`/servers/${data.server.id}/actions`);
    expect(ofServer.data.actions.map(({ id }: { id: number }) => id)).toEqual(ids);
    expect((await cloud.hetzner('token-of-others').get(`/actions?${query}`)).data.actions).toEqual([]);
    expect((await cloud.hetzner().get('/actions/1')).status).toBe(404);
  });
});
