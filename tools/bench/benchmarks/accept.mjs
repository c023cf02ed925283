// How long an order takes to be accepted, and how many can be in a second.
import { requestBytes } from '../connection.mjs';
import { closedLoop, openLoop } from '../load.mjs';
import { medianAndRange } from '../percentiles.mjs';
import { descendants, processorSeconds } from '../processes.mjs';
import { Stage } from '../stage.mjs';
import { table } from '../table.mjs';

export const options = {
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '15' },
  rate: { type: 'string', default: '100' },
  connections: { type: 'string', default: '50' },
  'not-durable': { type: 'boolean', default: false },
  'node-flags': { type: 'string', default: '' },
};

export async function run({ rounds, seconds, rate, connections, 'not-durable': isFast, 'node-flags': flags }) {
  // Servers that take long to boot: what is measured is the accepting.
  const stage = await Stage.start({ emulator: ['--boot-ms', '600000'], durable: !isFast });
  try {
    const controller = await stage.startController({ nodeFlags: flags.split(' ').filter(Boolean) });
    const { port } = controller;
    let orders = 0;
    const request = () => order(stage, ++orders);
    const figures = { p50: [], p99: [], max: [], saturation: [], saturationP99: [], cpu: [] };
    await closedLoop({ port, request, connections: 10, seconds: 3, expect: 202 });
    for (let round = 0; round < Number(rounds); round++) {
      const cpu = processors(stage, controller);
      const open = await openLoop({ port, request, perSecond: Number(rate), seconds: Number(seconds), expect: 202 });
      const full = await closedLoop({
        ...{ port, request, connections: Number(connections), seconds: Number(seconds), expect: 202 },
      });
      figures.cpu.push(cpu(open.requests + full.requests));
      for (const { others } of [open, full]) {
        if (Object.keys(others).length > 0) throw new Error(`Not accepted: ${JSON.stringify(others)}`);
      }
      for (const key of ['p50', 'p99', 'max']) figures[key].push(open.latency[key]);
      figures.saturation.push(full.perSecond);
      figures.saturationP99.push(full.latency.p99);
    }
    return [
      `PostgreSQL (${isFast ? 'not ' : ''}durable), controller, emulator and load on the same processors; ${rounds} rounds of ${seconds} s for each; ` +
        "the emulator's limits raised, the controller's own budget as always",
      table(
        ['figure', 'median (range)'],
        [
          [`open loop at ${rate}/s, p50`, `${medianAndRange(figures.p50, 1)} ms`],
          [`open loop at ${rate}/s, p99`, `${medianAndRange(figures.p99, 1)} ms`],
          [`open loop at ${rate}/s, longest`, `${medianAndRange(figures.max, 1)} ms`],
          [`${connections} connections, accepted`, `${medianAndRange(figures.saturation)} a second`],
          [`${connections} connections, p99`, `${medianAndRange(figures.saturationP99, 1)} ms`],
          ...['controller', 'PostgreSQL', 'emulator', 'load'].map((who) => [
            `processor time per order: ${who}`,
            `${medianAndRange(
              figures.cpu.map((each) => each[who]),
              1,
            )} ms`,
          ]),
        ],
      ),
    ];
  } finally {
    await stage.stop();
  }
}

/** Begins to count; the answer tells milliseconds of processor time per order, steps that follow on orders included. */
function processors({ emulator, database }, controller) {
  const now = () => ({
    controller: processorSeconds(controller.pid),
    PostgreSQL: descendants(database.pid).reduce((sum, pid) => sum + processorSeconds(pid), 0),
    emulator: processorSeconds(emulator.child.pid),
    load: processorSeconds(process.pid),
  });
  const before = now();
  return (orders) =>
    Object.fromEntries(Object.entries(now()).map(([who, seconds]) => [who, ((seconds - before[who]) * 1000) / orders]));
}

function order({ apiKey }, number) {
  return requestBytes({
    ...{ method: 'POST', path: '/api/clients/provisioning/provision', apiKey },
    body: { providerType: 'hetzner', serverType: 'cx33', name: `bench-${number}`, authenticationType: 'api_key' },
  });
}
