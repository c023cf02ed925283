// Many provisionings at once: what the controller adds to the time of the cloud, what it asks the provider, what it
// costs, and whether each order became exactly one server.
import { freePort } from '../../lib/free-port.mjs';
import { seedFleet } from '../fleet-rows.mjs';
import { callRows, callsByKind, countPhase, order, orderAll, setRealLimits, untilReady } from '../orders.mjs';
import { percentiles } from '../percentiles.mjs';
import { startProbed } from '../probe.mjs';
import { Stage, until } from '../stage.mjs';
import { table } from '../table.mjs';

export const options = {
  count: { type: 'string', default: '100' },
  ready: { type: 'string', default: '0' },
  provider: { type: 'string', default: 'hetzner' },
  'boot-ms': { type: 'string', default: '30000' },
  'real-limits': { type: 'boolean', default: false },
  // Servers report by themselves; for one controller.
  reports: { type: 'boolean', default: false },
  controllers: { type: 'string', default: '1' },
  durable: { type: 'boolean', default: false },
  'node-flags': { type: 'string', default: '' },
};

export async function run(given) {
  const { ready, provider, 'boot-ms': bootMs } = given;
  const count = Number(given.count);
  const stage = await Stage.start({ durable: given.durable });
  try {
    if (given['real-limits']) await setRealLimits(stage);
    const nodeFlags = given['node-flags'].split(' ').filter(Boolean);
    const controllers = [];
    const env = given.reports ? await reporting() : {};
    for (let n = 0; n < Number(given.controllers); n++) controllers.push(await startProbed(stage, { nodeFlags, env }));
    // Of all from here on: the controller learns from the first ones how long boots take.
    await stage.setEmulator({ bootMs: Number(bootMs) });
    if (Number(ready) > 0) await addReady(stage, controllers[0], Number(ready));
    // What is asked once, such as for the catalogue and our key, is not a provisioning's.
    await order(stage, controllers[0], { provider, name: 'first' });
    await until(() => countPhase(stage, 'first', 'ready').then((found) => found === 1), 'the first one is ready');
    controllers.forEach((controller) => controller.reset());
    const from = new Date();
    await orderAll(stage, controllers, provider, count);
    const acceptedMs = Date.now() - from.getTime();
    const result = await untilReady(stage, count);
    const rows = await figures(stage, controllers, { from, count, acceptedMs, ...result });
    return [
      `${limits(given)}; boots of ${bootMs} ms; ${ready} ready ones before; ${controllers.length} controller(s)` +
        (given.reports ? '; servers report by themselves (PUBLIC_URL)' : ''),
      table(['figure', 'value'], rows),
    ];
  } finally {
    await stage.stop();
  }
}

async function reporting() {
  const port = await freePort();
  return { PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` };
}

const limits = (given) =>
  given['real-limits']
    ? "the providers' real rate limits"
    : "the emulator's limits raised, the controller's own budget as always";

/** Rows in the database, and servers at the provider, that nobody waits for. */
async function addReady(stage, controller, count) {
  await seedFleet(stage, controller, count);
  const [first] = await stage.emulatorCall('GET', `/admin/servers?token=${stage.token}`);
  if (count > 1) await stage.emulatorCall('POST', `/admin/servers/${first.id}/copies`, { count: count - 1 });
}

async function figures(stage, controllers, { from, count, acceptedMs, ended, failed }) {
  const probes = controllers.map((controller) => controller.probe());
  const delays = await addedDelays(stage);
  const calls = await callsByKind(stage, from, ended);
  const { lost, doubled } = await lostAndDoubled(stage);
  const ms = ({ p50, p95, max }) => `${p50.toFixed(0)} / ${p95.toFixed(0)} / ${max.toFixed(0)} ms`;
  const most = (value) => Math.max(...probes.map(value)).toFixed(0);
  return [
    ['accepted', `${count} in ${(acceptedMs / 1000).toFixed(1)} s`],
    ['ready, failed, lost, doubled', `${count - failed}, ${failed}, ${lost}, ${doubled}`],
    ['all ready after', `${((ended - from) / 1000).toFixed(1)} s`],
    ['runs → `installing`, p50 / p95 / longest', ms(delays.installing)],
    ['agent answers → `ready`, p50 / p95 / longest', ms(delays.ready)],
    ['created → `ready`, p50 / p95 / longest', ms(delays.life)],
    ['last created after', `${((delays.lastCreated - from) / 1000).toFixed(1)} s`],
    ...callRows(calls, count, 'provisioning'),
    ['resident memory, highest', `${Math.max(...controllers.map((each) => each.peakMiB())).toFixed(0)} MiB`],
    [
      'event loop delay, p50 / p99 / longest',
      `${most(({ p50 }) => p50)} / ${most(({ p99 }) => p99)} / ${most(({ max }) => max)} ms`,
    ],
  ];
}

/** Between what the emulator knows of each server and what the rows say, in milliseconds. */
async function addedDelays(stage) {
  const rows = await stage.query(
    `SELECT server_id AS id, phase_times AS times FROM provisioning_references JOIN clients ON clients.id = client_id
     WHERE name LIKE 'bench-%' AND phase = 'ready'`,
  );
  const times = await stage.emulatorCall('GET', `/admin/times?token=${stage.token}`);
  const known = new Map(times.map((each) => [each.id, each]));
  const between = (phase, since) =>
    percentiles(rows.map(({ id, times }) => new Date(times[phase]) - new Date(known.get(id)[since])));
  return {
    installing: between('installing', 'runningAt'),
    ready: between('ready', 'answersAt'),
    life: between('ready', 'orderedAt'),
    lastCreated: Math.max(...rows.map(({ id }) => new Date(known.get(id).orderedAt))),
  };
}

/** Of what the provider would bill, and what the rows say. */
async function lostAndDoubled(stage) {
  const history = await stage.emulatorCall('GET', `/admin/history?token=${stage.token}`);
  const rows = await stage.query(
    'SELECT provider_type AS provider, server_id AS id, id AS owner FROM provisioning_references',
  );
  const known = new Set(rows.map(({ id }) => id));
  const owners = history.map(({ labels, tags }) => {
    const tag = tags.find((each) => each.startsWith('ac-provisioning:'));
    return tag ? tag.slice('ac-provisioning:'.length) : labels['agent-controller/provisioning'];
  });
  const lost = history.filter(({ id }) => !known.has(id)).length;
  return { lost, doubled: owners.length - new Set(owners).size };
}
