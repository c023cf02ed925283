// A hundred clients and ten thousand: what is asked often must not get slower than by a logarithm.
import { requestBytes } from '../connection.mjs';
import { seedFleet } from '../fleet-rows.mjs';
import { closedLoop } from '../load.mjs';
import { order } from '../orders.mjs';
import { Stage, until } from '../stage.mjs';
import { table } from '../table.mjs';

export const options = {
  few: { type: 'string', default: '100' },
  many: { type: 'string', default: '10000' },
  seconds: { type: 'string', default: '5' },
  connections: { type: 'string', default: '10' },
};
const FAST = ['--boot-ms', '100', '--install-ms', '100', '--start-ms', '100'];

export async function run(given) {
  const counts = [Number(given.few), Number(given.many)];
  const results = [];
  for (const count of counts) results.push(await measure(count, given));
  const [few, many] = results;
  const rows = Object.keys(few).map((what) => [
    what,
    few[what].toFixed(2),
    many[what].toFixed(2),
    (many[what] / few[what]).toFixed(2),
  ]);
  const logarithm = (Math.log(counts[1]) / Math.log(counts[0])).toFixed(1);
  return [
    `${given.connections} connections, ${given.seconds} s for each; the logarithm grows by ${logarithm}`,
    table(['milliseconds', ...counts.map((count) => `${count} clients`), 'ratio'], rows),
  ];
}

async function measure(count, { seconds, connections }) {
  const stage = await Stage.start({ durable: false, emulator: FAST });
  try {
    const controller = await stage.startController();
    const clientId = await seedFleet(stage, controller, count);
    const [first] = await stage.emulatorCall('GET', `/admin/servers?token=${stage.token}`);
    await stage.emulatorCall('POST', `/admin/servers/${first.id}/copies`, { count: count - 1 });
    const p50 = async (path) => {
      const request = () => requestBytes({ path, apiKey: stage.apiKey });
      const load = { port: controller.port, connections: Number(connections), expect: 200 };
      await closedLoop({ ...load, request, seconds: 1 });
      return (await closedLoop({ ...load, request, seconds: Number(seconds) })).latency.p50;
    };
    const list = await p50('/api/clients?limit=50');
    const info = await p50(`/api/clients/${clientId}/provisioning/info`);
    const events = await p50(`/api/clients/${clientId}/provisioning/events`);
    const { provisioning, requests } = await oneMore(stage, controller);
    return {
      ...{ 'list of 50, p50': list, 'info, p50': info, 'events, p50': events },
      'one more provisioning, order to `ready`': provisioning,
      'requests to the provider for it': requests,
    };
  } finally {
    await stage.stop();
  }
}

async function oneMore(stage, controller) {
  const from = new Date();
  const { body } = await order(stage, controller, { provider: 'hetzner', name: 'one-more' });
  const path = `/api/clients/${body.id}/provisioning/info`;
  await until(async () => (await stage.call(controller, 'GET', path)).body.phase === 'ready', 'it is ready');
  const provisioning = Date.now() - from;
  const asked = (await stage.providerRequests()).filter(
    ({ at, path: asked }) => new Date(at) >= from && asked.includes('/servers'),
  );
  return { provisioning, requests: asked.length };
}
