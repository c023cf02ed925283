import { emulatorUrl } from '../support/emulator-admin';

/** How the next server is to be; see apps/cloud-emulator/src/vm/vm-options.ts. */
export interface VmOptions {
  disk?: 'docker' | 'plain';
  network?: 'open' | 'none';
  dockerRepository?: 'up' | 'down';
  freeDiskMb?: number;
  memoryMb?: number;
  watchProcesses?: boolean;
}

export interface VmView {
  id: string;
  address: string;
  pid: number | null;
  isRunning: boolean;
  folder: string;
  console: string;
  sshKey: string;
}

/** The cloud emulator's admin API for virtual machines. */
export const labAdmin = {
  async machine(serverId: string): Promise<VmView> {
    const { machines } = (await call('GET', '/')) as { machines: VmView[] };
    const found = machines.find(({ id }) => id === serverId);
    if (!found) throw new Error(`There is no machine ${serverId}`);
    return found;
  },

  async expect(options: VmOptions): Promise<void> {
    await call('POST', '/next-server', options);
  },

  /** Where https://controller.lab.example leads. */
  async setController(url: string | null): Promise<void> {
    await call('PUT', '/controller', { url });
  },

  async power(serverId: string, action: 'reset' | 'powerdown'): Promise<void> {
    await call('POST', `/servers/${serverId}/power`, { action });
  },
};

async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${emulatorUrl()}/admin/lab${path}`, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`The lab answers ${response.status}: ${text}`);
  return JSON.parse(text);
}
