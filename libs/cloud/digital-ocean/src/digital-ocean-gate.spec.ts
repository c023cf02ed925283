import type { ServerSpec } from '@agent-controller/cloud-port';
import { json, rejection } from '@agent-controller/cloud-port/testing';
import { droplet, error, owner, page } from './digital-ocean-answers.fixture';
import { DigitalOceanScript, get, post, remove } from './digital-ocean-script.fixture';

const digitalOcean = new DigitalOceanScript();
const key = {
  name: 'agent-controller-x',
  publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM x',
};
const keyPath = '/account/keys/78:34:08:b1:19:bc:71:30:d7:42:06:c7:ae:d4:98:da';
const spec: ServerSpec = {
  ...{ owner, name: 'web-1', serverType: 's-1vcpu-1gb', location: 'fra1', image: 'debian-13-x64' },
  ...{ userData: '#cloud-config\n{}\n', sshKeyIds: ['99'], firewall: 'agent-controller-firewall-x' },
};
const there = json({ ssh_key: { id: 99, name: 'x' } });
const missing = error(404, 'not_found', 'The resource you were accessing could not be found.');

describe('the gate', () => {
  it('is asked before every page, and told what each answer said', async () => {
    const left = (remaining: string) => ({ 'ratelimit-limit': '5000', 'ratelimit-remaining': remaining });
    const paged = (id: number, remaining: string, next?: string) => {
      const { body, status } = page('droplets', [droplet(id)], next);
      return { body, status, headers: { 'content-type': 'application/json', ...left(remaining) } };
    };
    const provider = await digitalOcean.start(
      get('/droplets', paged(1, '4999', 'https://x/v2/droplets?page=2')),
      get('/droplets', paged(2, '4998')),
    );
    expect(await provider.findByOwner(owner)).toHaveLength(2);
    expect(digitalOcean.gate.seen).toEqual(['delete 200', 'delete 200']);
    expect(digitalOcean.gate.outcomes).toMatchObject([{ headers: left('4999') }, { headers: left('4998') }]);
  });

  it('knows what each request is for', async () => {
    const provider = await digitalOcean.start(
      post('/droplets', json({ droplet: droplet(42) }, 202)),
      get('/droplets/7', json({ droplet: droplet(7) })),
      remove('/droplets/7', missing),
      remove('/droplets/7', missing),
      get('/droplets', page('droplets', [])),
      get('/account/keys/99', there),
      get('/account/keys', page('ssh_keys', [])),
      get(keyPath, missing),
      post('/account/keys', there),
      get('/regions', page('regions', [])),
    );
    await provider.create(spec);
    await provider.look([{ serverId: '7', createdAt: new Date() }]);
    await provider.destroy('7');
    await provider.destroy('7', 'confirm');
    await provider.findByOwner(owner, 'look');
    await provider.hasSentinel('99');
    await provider.listKeys();
    await provider.ensureSentinel(key);
    await provider.listLocations();
    expect(digitalOcean.gate.seen).toEqual([
      'create 202',
      'look server 7 200',
      'delete server 7 404',
      'confirm server 7 404',
      'look 200',
      'delete 200',
      'create keys 200',
      'create 404',
      'create 200',
      'look 200',
    ]);
  });

  it('knows what requests about firewalls are for', async () => {
    const inbound = [{ port: 3000, sources: ['::/0'] }];
    const { firewall: name } = spec;
    const id = 'bb4b2611-3d72-467b-8602-280330ecd65c';
    const wall = { id, name, tags: [name], inbound_rules: [], outbound_rules: [] };
    const put = { method: 'PUT', path: `/v2/firewalls/${id}`, answer: json({ firewall: wall }) };
    const provider = await digitalOcean.start(
      get('/firewalls', page('firewalls', [])),
      post('/tags', json({ tag: { name } }, 201)),
      post('/firewalls', json({ firewall: wall }, 202)),
      put,
      get('/firewalls', page('firewalls', [wall])),
      remove(`/firewalls/${id}`, { status: 204 }),
    );
    await provider.ensureFirewall({ name, instanceId: 'x', inbound });
    await provider.listFirewalls();
    await provider.removeFirewall(id);
    expect(digitalOcean.gate.seen).toEqual([
      'create 200',
      'create 201',
      'create 202',
      'create 200',
      'look 200',
      'look 204',
    ]);
    digitalOcean.gate.isShut = true;
    for (const call of [() => provider.listFirewalls(), () => provider.removeFirewall(id)]) {
      expect(await rejection(call())).toMatchObject({ kind: 'rate-limited' });
    }
  });

  it('is told of answers that never came or were errors', async () => {
    const provider = await digitalOcean.start(
      post('/droplets', 'drop'),
      post('/droplets', 'hang'),
      post('/droplets', { status: 502, body: '<html></html>' }),
      post('/droplets', { status: 429, headers: { 'retry-after': '3' } }),
    );
    for (const kind of ['outcome-unknown', 'outcome-unknown', 'outcome-unknown', 'rate-limited']) {
      expect((await rejection(provider.create(spec))).kind).toBe(kind);
    }
    expect(digitalOcean.gate.seen).toEqual(['create -', 'create -', 'create 502', 'create 429']);
    expect(digitalOcean.gate.outcomes[3]?.headers).toMatchObject({ 'retry-after': '3' });
  });

  it('keeps everything from being sent while it is shut, and says so as it does', async () => {
    const provider = await digitalOcean.start();
    digitalOcean.gate.isShut = true;
    for (const call of [
      () => provider.create(spec),
      () => provider.destroy('7'),
      () => provider.findByOwner(owner),
      () => provider.listServerTypes(),
      () => provider.ensureKey(key),
    ]) {
      expect(await rejection(call())).toMatchObject({ kind: 'rate-limited', retryAfterMs: 7_000 });
    }
    expect(digitalOcean.http.requests).toEqual([]);
  });
});
