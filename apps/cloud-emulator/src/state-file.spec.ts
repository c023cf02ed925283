import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulator, type RunningEmulator } from './cloud-emulator';

const TOKEN = 'state-file-token';
const USER_DATA = '#cloud-config\nruncmd: []\n';

interface ListedServer {
  id: number;
  name: string;
  labels: Record<string, string>;
  public_net: { ipv4: { ip: string } };
}

describe('--state', () => {
  let folder: string;
  let emulator: RunningEmulator;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cloud-emulator-state-'));
  });
  afterEach(async () => {
    await emulator.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (stateFile?: string) => {
    emulator = await startEmulator({ bootMs: 1, installMs: 1, startMs: 1, deleteMs: 1, stateFile });
  };

  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${emulator.url}/hetzner/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    return (await response.json()) as T;
  }

  const order = (name: string) =>
    call<{ server: ListedServer }>('POST', '/servers', {
      name,
      server_type: 'cx33',
      location: 'nbg1',
      image: 'debian-13',
      labels: { owner: 'me' },
      user_data: USER_DATA,
    });

  const servers = async () => (await call<{ servers: ListedServer[] }>('GET', '/servers')).servers;

  it('keeps servers over a restart, with id, address and labels, and forgets deleted ones', async () => {
    const file = join(folder, 'state.json');
    await start(file);
    const { server: kept } = await order('kept');
    const { server: deleted } = await order('deleted');
    await call('DELETE', `/servers/${deleted.id}`);
    await emulator.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);

    await start(file);
    const [server, ...others] = await servers();
    expect(others).toEqual([]);
    expect(server).toMatchObject({ id: kept.id, name: 'kept', labels: { owner: 'me' } });
    expect(server?.public_net.ipv4.ip).toBe(kept.public_net.ipv4.ip);
  });

  it('is empty again without it', async () => {
    await start();
    await order('forgotten');
    await emulator.close();
    await start();
    expect(await servers()).toEqual([]);
  });
});
