import Fastify from 'fastify';
import type { AddressInfo } from 'node:net';
import { adminRoutes } from './admin.routes';
import { digitalOceanRoutes } from './digital-ocean/digital-ocean.routes';
import { Faults } from './faults';
import { hetznerRoutes } from './hetzner/hetzner.routes';
import { keycloakRoutes } from './keycloak.routes';
import type { Settings } from './settings';
import { loadState, saveState } from './state-file';
import { BootLab } from './vm/boot-lab';
import { bootLabRoutes } from './vm/boot-lab.routes';
import { World } from './world';

const HETZNER = '/hetzner/v1';
const DIGITAL_OCEAN = '/digitalocean/v2';

export interface EmulatorOptions extends Partial<Settings> {
  host?: string;
  /** 0: any free one. */
  port?: number;
  log?: (message: string) => void;
  /** Where the projects are kept over a restart; without it they are in memory only. */
  stateFile?: string;
  /** A folder that tools/boot-lab/build.sh made: servers are virtual machines. */
  labFolder?: string;
}

export interface RunningEmulator {
  url: string;
  close(): Promise<void>;
}

/** Both providers' APIs, a Keycloak, and the servers that they boot. State is in memory, and in a file where one is named. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<RunningEmulator> {
  const { host = '127.0.0.1', port = 0, log = () => undefined, stateFile, labFolder, ...settings } = options;
  const lab = labFolder === undefined ? undefined : new BootLab(labFolder);
  const world = new World(settings, log, lab && ((blueprint) => lab.machine(blueprint)));
  if (stateFile !== undefined) loadState(world, stateFile);
  const faults = new Faults();
  const app = Fastify({ forceCloseConnections: true, bodyLimit: 1024 * 1024 });
  if (stateFile !== undefined) {
    app.addHook('onResponse', async ({ method }) => {
      if (method !== 'GET') saveState(world, stateFile);
    });
  }
  await app.register(hetznerRoutes(world, faults, HETZNER), { prefix: HETZNER });
  await app.register(digitalOceanRoutes(world, faults, DIGITAL_OCEAN), { prefix: DIGITAL_OCEAN });
  await app.register(keycloakRoutes(world.keycloak), { prefix: '/keycloak' });
  await app.register(adminRoutes(world, faults), { prefix: '/admin' });
  if (lab) await app.register(bootLabRoutes(lab), { prefix: '/admin/lab' });
  await app.listen({ host, port });
  const { port: actual } = app.server.address() as AddressInfo;
  const url = `http://${host}:${actual}`;
  if (lab) lab.emulatorUrl = url;
  return {
    url,
    close: async () => {
      await app.close();
      if (stateFile !== undefined) saveState(world, stateFile);
      await world.close();
    },
  };
}
