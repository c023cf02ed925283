import { EmulatedCloud, DROPLET_ORDER, SERVER_ORDER, outcome } from './emulated-cloud.fixture';
import { callServer, until } from './server-call.fixture';
import { createKeyPair, userData, type KeyPair } from './user-data.fixture';

interface Seen {
  name: string;
  address: string;
  stage: string;
  firewalls: { name: string; inbound: { protocol: string; port: string; sources: string[] }[] }[];
  firewallsAtOrder: string[];
}

describe('firewalls', () => {
  let cloud: EmulatedCloud;
  let pair: KeyPair;
  beforeAll(async () => {
    pair = await createKeyPair();
    cloud = await EmulatedCloud.start();
  });
  afterAll(() => cloud?.close());
  beforeEach(() => cloud.newToken());

  const hetznerRule = (port: string, ...source_ips: string[]) => ({
    direction: 'in',
    protocol: 'tcp',
    port,
    source_ips,
  });
  const inRule = (ports: string, ...addresses: string[]) => ({ protocol: 'tcp', ports, sources: { addresses } });
  const up = () =>
    until(
      async () => (await cloud.servers()) as unknown as Seen[],
      ([server]) => server?.stage === 'agent',
    );
  const call = (address: string, port?: number) =>
    callServer({ address, port, certificate: pair.certificate }, port ? '/socket.io/' : '/api/health').then(
      ({ status }) => status,
      () => 'refused',
    );

  it('of Hetzner lets through what its rules say, and everything once it is taken away', async () => {
    const api = cloud.hetzner();
    const rules = [hetznerRule('3000', '127.0.0.0/8'), hetznerRule('8443', '192.0.2.0/24', '::/0')];
    const { data: made, status } = await api.post('/firewalls', { name: 'wall', rules });
    expect(status).toBe(201);
    const firewalls = [{ firewall: made.firewall.id }];
    const { data } = await api.post('/servers', { ...SERVER_ORDER, user_data: userData(pair), firewalls });
    const [server] = await up();
    expect(server).toMatchObject({ firewallsAtOrder: ['wall'], firewalls: [{ name: 'wall' }] });
    expect(server?.firewalls[0]?.inbound[1]).toEqual({
      protocol: 'tcp',
      port: '8443',
      sources: ['192.0.2.0/24', '::/0'],
    });
    const { address = '' } = server ?? {};
    expect([await call(address), await call(address, 8443)]).toEqual([200, 'refused']);
    await api.post(`/firewalls/${made.firewall.id}/actions/set_rules`, {
      rules: [hetznerRule('8443', '127.0.0.1/32')],
    });
    expect([await call(address), await call(address, 8443)]).toEqual(['refused', 200]);
    expect((await api.delete(`/firewalls/${made.firewall.id}`)).data.error.code).toBe('resource_in_use');
    const resources = [{ type: 'server', server: { id: data.server.id } }];
    await api.post(`/firewalls/${made.firewall.id}/actions/remove_from_resources`, { remove_from: resources });
    expect([await call(address), await call(address, 8443)]).toEqual([200, 200]);
    expect((await api.delete(`/firewalls/${made.firewall.id}`)).status).toBe(204);
  });

  it('of DigitalOcean goes by its tag, and lets everything through once it is deleted', async () => {
    const api = cloud.digitalOcean();
    await api.tag.createTag({ name: 'wall' });
    const wall = { name: 'wall', inbound_rules: [inRule('3000', '192.0.2.0/24')], outbound_rules: [], tags: ['wall'] };
    const { data } = await api.firewall.createFirewall(wall);
    await api.droplet.createDroplet({ ...DROPLET_ORDER, user_data: userData(pair), tags: ['wall', 'other'] });
    const [server] = await up();
    expect(server).toMatchObject({ firewallsAtOrder: ['wall'] });
    const { address = '' } = server ?? {};
    expect(await call(address)).toBe('refused');
    await api.firewall.updateFirewall({ ...wall, id: data.firewall.id, inbound_rules: [inRule('3000', '127.0.0.1')] });
    expect([await call(address), await call(address, 8443)]).toEqual([200, 'refused']);
    await api.firewall.deleteFirewall({ firewall_id: data.firewall.id ?? '' });
    expect(await call(address, 8443)).toBe(200);
  });

  it('of Hetzner are refused as Hetzner refuses them', async () => {
    const api = cloud.hetzner();
    const code = async (body: object) => (await api.post('/firewalls', body)).data.error?.code as string;
    const rules = [hetznerRule('3000', '0.0.0.0/0')];
    expect(await code({ name: 'wall', rules })).toBeUndefined();
    expect(await code({ name: 'wall', rules })).toBe('uniqueness_error');
    const many = (count: number) => Array.from({ length: count }, (_, i) => `10.0.${i}.0/24`);
    for (const wrong of [
      [hetznerRule('3000')],
      [hetznerRule('3000', '10.0.0.0')],
      [hetznerRule('3000', '10.0.0.0/33')],
      [hetznerRule('x', '10.0.0.0/8')],
      [{ ...hetznerRule('3000', '10.0.0.0/8'), protocol: 'icmp' }],
      [hetznerRule('3000', ...many(101))],
      Array.from({ length: 51 }, (_, i) => hetznerRule(String(i + 1), '10.0.0.0/8')),
      Array.from({ length: 6 }, (_, i) => hetznerRule(String(i + 1), ...many(100))),
    ]) {
      expect([wrong, await code({ name: 'other', rules: wrong })]).toEqual([wrong, 'invalid_input']);
    }
    const { data } = await api.post('/servers', { ...SERVER_ORDER, firewalls: [{ firewall: 1 }] });
    expect(data.error.code).toBe('not_found');
  });

  it('of DigitalOcean are refused as DigitalOcean refuses them', async () => {
    const { firewall, tag } = cloud.digitalOcean();
    await tag.createTag({ name: 'wall' });
    const wall = { name: 'wall', inbound_rules: [inRule('3000', '0.0.0.0/0')], outbound_rules: [], tags: ['wall'] };
    const make = async (changes: object) => (await outcome(firewall.createFirewall({ ...wall, ...changes }))).status;
    expect(await make({})).toBe(202);
    expect(await make({})).toBe(409);
    for (const wrong of [
      { tags: ['no-such-tag'] },
      { tags: Array.from({ length: 6 }, () => 'wall') },
      { name: '-wall' },
      { inbound_rules: [] },
      { inbound_rules: [inRule('3000', 'anywhere')] },
      { inbound_rules: [inRule('x', '10.0.0.0/8')] },
      { inbound_rules: Array.from({ length: 51 }, (_, i) => inRule(String(i + 1), '10.0.0.0/8')) },
    ]) {
      expect([wrong, await make({ name: 'other', ...wrong })]).toEqual([wrong, 422]);
    }
  });
});
