// How many reads a second one controller answers on one processor, beside the least that the same libraries can do.
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { requestBytes } from '../connection.mjs';
import { seedFleet } from '../fleet-rows.mjs';
import { closedLoop } from '../load.mjs';
import { medianAndRange } from '../percentiles.mjs';
import { processorSeconds } from '../processes.mjs';
import { pinSelf, Stage, startServer } from '../stage.mjs';
import { table } from '../table.mjs';

export const options = {
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '3' },
  clients: { type: 'string', default: '1000' },
  connections: { type: 'string', default: '50' },
  only: { type: 'string' },
  'node-flags': { type: 'string', default: '' },
};
const BARE = new URL('../bare-route.mjs', import.meta.url).pathname;
const BRISK = ['--boot-ms', '200', '--install-ms', '200', '--start-ms', '200'];

export async function run({ rounds, seconds, clients, connections, only, 'node-flags': flags }) {
  const isPinned = cpus().length > 1;
  // PostgreSQL and the load run beside the server, not on its processor.
  if (isPinned) pinSelf(1);
  const cpu = isPinned ? 0 : undefined;
  const stage = await Stage.start({ emulator: BRISK });
  try {
    const nodeFlags = flags.split(' ').filter(Boolean);
    const controller = await stage.startController({ cpu, nodeFlags });
    const id = await seedFleet(stage, controller, Number(clients));
    const paths = routes(id).filter(({ name }) => !only || only.split(',').includes(name));
    for (const route of paths) route.text = (await stage.call(controller, 'GET', route.path)).text;
    const bare = await startBare(stage, paths, cpu);
    const load = async ({ port, pid }, path) => {
      const before = processorSeconds(pid);
      const request = requestBytes({ path, apiKey: stage.apiKey });
      const { perSecond, requests, others } = await closedLoop({
        ...{ port, request: () => request, connections: Number(connections), seconds: Number(seconds), expect: 200 },
      });
      if (Object.keys(others).length > 0) throw new Error(`${path}: ${JSON.stringify(others)}`);
      return { perSecond, cpu: ((processorSeconds(pid) - before) * 1e6) / requests };
    };
    const rows = [];
    for (const { name, path, text } of paths) {
      const found = { ours: [], bytes: [], object: [] };
      const cpus = { ours: [], bytes: [] };
      for (let round = -1; round < Number(rounds); round++) {
        const figures = {
          ours: await load(controller, path),
          bytes: await load(bare, `/bytes${path}`),
          object: await load(bare, `/object${path}`),
        };
        // The first round only warms up.
        if (round < 0) continue;
        for (const kind of Object.keys(found)) found[kind].push(figures[kind].perSecond);
        for (const kind of Object.keys(cpus)) cpus[kind].push(figures[kind].cpu);
      }
      const shares = (kind) => found.ours.map((figure, index) => (100 * figure) / found[kind][index]);
      rows.push([
        ...[name, text.length.toLocaleString('en-US'), medianAndRange(found.ours)],
        ...[medianAndRange(found.bytes), `${medianAndRange(shares('bytes'))} %`],
        ...[medianAndRange(found.object), `${medianAndRange(shares('object'))} %`],
        `${medianAndRange(cpus.ours)}, ${medianAndRange(cpus.bytes)} µs`,
      ]);
    }
    await bare.stop();
    const head = [
      'answer',
      'bytes',
      'requests/s',
      'bare, bytes',
      'ratio',
      'bare, objects',
      'ratio',
      'processor time, ours and bare',
    ];
    return [
      `${clients} clients in the database; ${connections} connections; server on one processor, PostgreSQL, emulator and load ` +
        `on the other; ${rounds} rounds of ${seconds} s for each, in turn`,
      table(head, rows),
    ];
  } finally {
    await stage.stop();
  }
}

function routes(id) {
  const providers = '/api/clients/provisioning/providers';
  return [
    { name: 'providers', path: providers },
    { name: 'server-types', path: `${providers}/hetzner/server-types` },
    { name: 'info', path: `/api/clients/${id}/provisioning/info` },
    { name: 'list', path: '/api/clients' },
  ];
}

function startBare(stage, paths, cpu) {
  const file = join(stage.folder, 'bare-routes.json');
  const answers = paths.flatMap(({ path, text }) =>
    ['bytes', 'object'].map((as) => ({ path: `/${as}${path}`, text, as })),
  );
  return writeFile(file, JSON.stringify({ apiKey: stage.apiKey, routes: answers })).then(() =>
    startServer([BARE, file], { env: { PATH: process.env.PATH ?? '' }, cpu }),
  );
}
