import type { ServerSpec } from '@agent-controller/cloud-port';
import { json, rejection } from '@agent-controller/cloud-port/testing';
import { error, owner, page, server } from './hetzner-answers.fixture';
import { HetznerScript, get, post, remove } from './hetzner-script.fixture';

const hetzner = new HetznerScript();
const key = {
  name: 'agent-controller-x',
  publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM x',
};
const spec: ServerSpec = {
  ...{
    owner,
    name: 'web-1',
    serverType: 'cx23',
    location: 'fsn1',
    image: 'debian-13',
    userData: '#cloud-config\n{}\n',
  },
  sshKeyIds: ['99'],
  firewall: '7',
};
const there = json({ ssh_key: { id: 99, name: 'x', fingerprint: 'x' } });
const one = { created: '2026-08-01T10:00:00Z' };

describe('the gate', () => {
  it('is asked before every page, and told what each answer said', async () => {
    const left = (remaining: string) => ({ 'ratelimit-limit': '3600', 'ratelimit-remaining': remaining });
    const paged = (id: number, next: number | null, remaining: string) => {
      const { body, status } = page('servers', [server(id, one)], next);
      return { body, status, headers: { 'content-type': 'application/json', ...left(remaining) } };
    };
    const provider = await hetzner.start(get('/servers', paged(1, 2, '3599')), get('/servers', paged(2, null, '3598')));
    expect(await provider.findByOwner(owner)).toHaveLength(2);
    expect(hetzner.gate.seen).toEqual(['delete 200', 'delete 200']);
    expect(hetzner.gate.outcomes).toMatchObject([{ headers: left('3599') }, { headers: left('3598') }]);
  });

  it('knows what each request is for', async () => {
    const provider = await hetzner.start(
      post('/servers', json({ server: server(42) }, 201)),
      get('/servers/7', json({ server: server(7) })),
      remove('/servers/7', error(404, 'not_found', 'server not found')),
      remove('/servers/7', error(404, 'not_found', 'server not found')),
      get('/servers', page('servers', [])),
      get('/ssh_keys/99', there),
      get('/ssh_keys', page('ssh_keys', [])),
      get('/ssh_keys', page('ssh_keys', [])),
      post('/ssh_keys', there),
      get('/locations', page('locations', [])),
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
    expect(hetzner.gate.seen).toEqual([
      'create 201',
      'look server 7 200',
      'delete server 7 404',
      'confirm server 7 404',
      'look 200',
      'delete 200',
      'create keys 200',
      'create 200',
      'create 200',
      'look 200',
    ]);
  });

  it('knows what requests about firewalls are for', async () => {
    const inbound = [{ port: 3000, sources: ['::/0'] }];
    const name = 'agent-controller-firewall-x';
    const wall = { id: 7, name, labels: {}, rules: [], applied_to: [] };
    const provider = await hetzner.start(
      get('/firewalls', page('firewalls', [])),
      post('/firewalls', json({ firewall: wall }, 201)),
      post('/firewalls/7/actions/set_rules', json({ actions: [] }, 201)),
      get('/firewalls', page('firewalls', [wall])),
      remove('/firewalls/7', { status: 204 }),
    );
    await provider.ensureFirewall({ name, instanceId: 'x', inbound });
    await provider.listFirewalls();
    await provider.removeFirewall('7');
    expect(hetzner.gate.seen).toEqual(['create 200', 'create 201', 'create 201', 'look 200', 'look 204']);
    hetzner.gate.isShut = true;
    for (const call of [() => provider.listFirewalls(), () => provider.removeFirewall('7')]) {
      expect(await rejection(call())).toMatchObject({ kind: 'rate-limited' });
    }
  });

  it('is told of answers that never came or were errors', async () => {
    const provider = await hetzner.start(
      post('/servers', 'drop'),
      post('/servers', 'hang'),
      post('/servers', { status: 502, body: '<html></html>' }),
      post('/servers', { status: 429, headers: { 'retry-after': '3' } }),
    );
    for (const kind of ['outcome-unknown', 'outcome-unknown', 'outcome-unknown', 'rate-limited']) {
      expect((await rejection(provider.create(spec))).kind).toBe(kind);
    }
    expect(hetzner.gate.seen).toEqual(['create -', 'create -', 'create 502', 'create 429']);
    expect(hetzner.gate.outcomes[3]?.headers).toMatchObject({ 'retry-after': '3' });
  });

  it('keeps everything from being sent while it is shut, and says so as it does', async () => {
    const provider = await hetzner.start();
    hetzner.gate.isShut = true;
    for (const call of [
      () => provider.create(spec),
      () => provider.destroy('7'),
      () => provider.findByOwner(owner),
      () => provider.listServerTypes(),
      () => provider.ensureKey(key),
    ]) {
      expect(await rejection(call())).toMatchObject({ kind: 'rate-limited', retryAfterMs: 7_000 });
    }
    expect(hetzner.http.requests).toEqual([]);
  });
});
