import { json, rejection } from '@agent-controller/cloud-port/testing';
import { error, page } from './hetzner-answers.fixture';
import { HetznerScript, get, post, remove } from './hetzner-script.fixture';

const hetzner = new HetznerScript();

describe('the key in the project', () => {
  // Made, and its fingerprint told, by ssh-keygen.
  const key = {
    name: 'agent-controller-x',
    publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM x',
  };
  const fingerprint = '78:34:08:b1:19:bc:71:30:d7:42:06:c7:ae:d4:98:da';
  const find = (...ids: number[]) => {
    const entries = ids.map((id) => ({ id, name: key.name, fingerprint }));
    return get('/ssh_keys', page('ssh_keys', entries), { fingerprint, page: '1', per_page: '50' });
  };
  const body = { name: key.name, public_key: key.publicKey, labels: {} };
  const taken = error(409, 'uniqueness_error', 'SSH key not unique');

  it('is found by its fingerprint', async () => {
    const provider = await hetzner.start(find(99));
    expect(await provider.ensureSentinel(key)).toBe('99');
  });

  it('is created when it is not there', async () => {
    const made = json({ ssh_key: { id: 100, name: key.name, fingerprint } }, 201);
    const provider = await hetzner.start(find(), post('/ssh_keys', made, body));
    expect(await provider.ensureSentinel(key)).toBe('100');
  });

  it('is looked up when another controller was faster', async () => {
    const provider = await hetzner.start(find(), post('/ssh_keys', taken), find(101));
    expect(await provider.ensureSentinel(key)).toBe('101');
  });

  it('is a conflict when its name is taken by another key', async () => {
    const provider = await hetzner.start(find(), post('/ssh_keys', taken), find());
    expect((await rejection(provider.ensureSentinel(key))).kind).toBe('conflict');
  });

  it('carries the installation when it is a key of a caller', async () => {
    const labels = { 'managed-by': 'agent-controller', 'agent-controller/instance': 'instance-1' };
    const made = json({ ssh_key: { id: 102, name: key.name, fingerprint } }, 201);
    const provider = await hetzner.start(find(), post('/ssh_keys', made, { ...body, labels }));
    expect(await provider.ensureKey({ ...key, instanceId: 'instance-1' })).toBe('102');
  });

  it('is listed with those of all pages', async () => {
    const entry = (id: number) => ({ id, name: `key-${id}`, fingerprint });
    const provider = await hetzner.start(
      get('/ssh_keys', page('ssh_keys', [entry(1)], 2), { page: '1', per_page: '50' }),
      get('/ssh_keys', page('ssh_keys', [entry(2)]), { page: '2', per_page: '50' }),
    );
    expect(await provider.listKeys()).toEqual([
      { id: '1', name: 'key-1' },
      { id: '2', name: 'key-2' },
    ]);
  });

  it('is told with content and installation where our label is, and can be removed twice', async () => {
    const labels = { 'managed-by': 'agent-controller', 'agent-controller/instance': 'instance-1' };
    const entry = { id: 1, name: key.name, fingerprint, public_key: key.publicKey };
    const label_selector = 'managed-by==agent-controller';
    const provider = await hetzner.start(
      get(
        '/ssh_keys',
        page('ssh_keys', [
          { ...entry, labels },
          { ...entry, id: 2, labels: {} },
        ]),
        {
          label_selector,
          page: '1',
          per_page: '50',
        },
      ),
      remove('/ssh_keys/1', { status: 204 }),
      remove('/ssh_keys/1', error(404, 'not_found', 'ssh key not found')),
    );
    const { name, publicKey } = key;
    expect(await provider.listManagedKeys()).toEqual([
      { id: '1', name, publicKey, instanceId: 'instance-1' },
      { id: '2', name, publicKey, instanceId: null },
    ]);
    await provider.removeKey('1');
    await provider.removeKey('1');
  });

  it('is there or not', async () => {
    const there = json({ ssh_key: { id: 99, name: key.name, fingerprint } });
    const provider = await hetzner.start(
      get('/ssh_keys/99', there),
      get('/ssh_keys/99', error(404, 'not_found', 'ssh key not found')),
    );
    expect([await provider.hasSentinel('99'), await provider.hasSentinel('99')]).toEqual([true, false]);
  });
});
