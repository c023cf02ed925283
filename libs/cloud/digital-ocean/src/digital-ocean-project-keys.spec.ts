import { json, rejection } from '@agent-controller/cloud-port/testing';
import { error, page } from './digital-ocean-answers.fixture';
import { DigitalOceanScript, get, post, remove } from './digital-ocean-script.fixture';

const digitalOcean = new DigitalOceanScript();

describe('the key in the project', () => {
  // Made, and its fingerprint told, by ssh-keygen.
  const key = {
    name: 'agent-controller-x',
    publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM x',
  };
  const path = '/account/keys/78:34:08:b1:19:bc:71:30:d7:42:06:c7:ae:d4:98:da';
  const there = (id: number, status = 200) => json({ ssh_key: { id, name: key.name } }, status);
  const missing = error(404, 'not_found', 'The resource you were accessing could not be found.');
  const taken = error(422, 'unprocessable_entity', 'SSH Key is already in use on your account');
  const body = { name: key.name, public_key: key.publicKey };

  it('is found by its fingerprint, without listing', async () => {
    const provider = await digitalOcean.start(get(path, there(99)));
    expect(await provider.ensureSentinel(key)).toBe('99');
  });

  it('is created when it is not there', async () => {
    const provider = await digitalOcean.start(get(path, missing), post('/account/keys', there(100, 201), body));
    expect(await provider.ensureSentinel(key)).toBe('100');
  });

  it('is looked up when another controller was faster', async () => {
    const provider = await digitalOcean.start(get(path, missing), post('/account/keys', taken), get(path, there(101)));
    expect(await provider.ensureSentinel(key)).toBe('101');
  });

  it('is a conflict when it is taken and yet not there', async () => {
    const provider = await digitalOcean.start(get(path, missing), post('/account/keys', taken), get(path, missing));
    expect((await rejection(provider.ensureSentinel(key))).kind).toBe('conflict');
  });

  it('is listed with those of all pages', async () => {
    const pages = (next?: string, ...ids: number[]) =>
      page(
        'ssh_keys',
        ids.map((id) => ({ id, name: `key-${id}`, fingerprint: 'x', public_key: 'x' })),
        next,
      );
    const provider = await digitalOcean.start(
      get('/account/keys', pages('https://x/v2/account/keys?page=2', 1), { page: '1', per_page: '200' }),
      get('/account/keys', pages(undefined, 2), { page: '2', per_page: '200' }),
    );
    expect(await provider.listKeys()).toEqual([
      { id: '1', name: 'key-1' },
      { id: '2', name: 'key-2' },
    ]);
  });

  it('is told with its content, and can be removed twice', async () => {
    const { name, publicKey } = key;
    const provider = await digitalOcean.start(
      get('/account/keys', page('ssh_keys', [{ id: 1, name, fingerprint: 'x', public_key: publicKey }])),
      remove('/account/keys/1', { status: 204 }),
      remove('/account/keys/1', missing),
    );
    expect(await provider.listManagedKeys()).toEqual([{ id: '1', name, publicKey, instanceId: null }]);
    await provider.removeKey('1');
    await provider.removeKey('1');
  });

  it('is there or not', async () => {
    const provider = await digitalOcean.start(get('/account/keys/99', there(99)), get('/account/keys/99', missing));
    expect([await provider.hasSentinel('99'), await provider.hasSentinel('99')]).toEqual([true, false]);
  });
});
