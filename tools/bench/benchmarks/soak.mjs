// Steady ordering and deleting for a long time: whether anything grows that should not, and whether every server was known
// from its order to its end.
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fleet } from '../soak/fleet.mjs';
import { sample, startSoaked } from '../soak/sampler.mjs';
import { costs, verdicts } from '../soak/verdict.mjs';
import { Stage } from '../stage.mjs';
import { table } from '../table.mjs';

export const options = {
  minutes: { type: 'string', default: '20' },
  rate: { type: 'string', default: '5' },
  controllers: { type: 'string', default: '1' },
  'boot-ms': { type: 'string', default: '2000' },
  'life-seconds': { type: 'string', default: '10' },
  'sample-seconds': { type: 'string', default: '10' },
  'retention-seconds': { type: 'string', default: '120' },
  durable: { type: 'boolean', default: false },
  samples: { type: 'string' },
};

export async function run(given) {
  const stage = await Stage.start({ durable: given.durable });
  try {
    // Far above what is asked: the limits of an account are not what is measured here.
    await stage.setEmulator({
      ...{ budgetFactor: 1_000, bootMs: Number(given['boot-ms']), installMs: 1_500, startMs: 1_000 },
    });
    const controllers = [];
    for (let n = 0; n < Number(given.controllers); n++) {
      controllers.push(await startSoaked(stage, environment(given), n));
    }
    const fleet = new Fleet(stage, controllers, {
      ...{ rate: Number(given.rate), lifeSeconds: Number(given['life-seconds']) },
    });
    fleet.start();
    const { samples, lives } = await look(stage, controllers, fleet, given);
    const requests = await requestsPerOrder(stage);
    const end = await fleet.end();
    if (given.samples) writeFileSync(given.samples, samples.map((each) => JSON.stringify(each)).join('\n'));
    return [how(given), report({ samples, lives, requests, fleet, end })];
  } finally {
    await stage.stop();
  }
}

/** Retentions so short that their ends are seen in the time there is. */
function environment(given) {
  const seconds = given['retention-seconds'];
  return {
    ...{ TOMBSTONE_RETENTION_SECONDS: seconds, IDEMPOTENCY_RETENTION_SECONDS: seconds },
    ...{ FAILED_JOB_RETENTION_SECONDS: seconds, EVENTS_PER_CLIENT: '100', SWEEP_INTERVAL_SECONDS: '30' },
  };
}

async function look(stage, controllers, fleet, given) {
  const every = Number(given['sample-seconds']) * 1_000;
  const total = Number(given.minutes) * 60_000;
  const samples = [];
  const began = performance.now();
  let atQuarter = 0;
  for (let n = 1; n * every <= total; n++) {
    await sleep(Math.max(0, began + n * every - performance.now()));
    samples.push({ seconds: (performance.now() - began) / 1_000, ...(await sample(stage, controllers)) });
    if (n === Math.floor(total / every / 4) + 1) atQuarter = fleet.counts.deleted;
    const { ordered, deleted, streams } = fleet.counts;
    const { 'resident MiB': resident = 0, 'heap after collection MiB': heap = 0 } = samples.at(-1);
    const minutes = ((n * every) / 60_000).toFixed(1);
    process.stderr.write(
      `${minutes} min: ${ordered} ordered, ${deleted} deleted, ${streams} streams, ${resident.toFixed(0)} MiB, heap ${heap.toFixed(1)} MiB\n`,
    );
  }
  return { samples, lives: fleet.counts.deleted - atQuarter };
}

/** Of the last 5,000 that the emulator remembers: as many servers were ordered in that time as were deleted. */
async function requestsPerOrder(stage) {
  const requests = await stage.providerRequests();
  const orders = requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/servers'));
  return requests.length / orders.length;
}

const how = (given) =>
  `limits of the emulated project raised a thousandfold; ${given.rate} orders and as many deletions a second for ` +
  `${given.minutes} min, ${given.controllers} controller(s), servers that boot in ${given['boot-ms']} ms and live for ` +
  `${given['life-seconds']} s; retentions of ${given['retention-seconds']} s; a PostgreSQL that ` +
  `${given.durable ? 'waits' : 'does not wait'} for its disk`;

function report({ samples, lives, requests, fleet, end }) {
  const number = (value) => (Number.isFinite(value) ? value.toFixed(Math.abs(value) < 100 ? 1 : 0) : '–');
  const growth = verdicts(samples).map(({ name, second, last, perHour, allowed, verdict }) =>
    [name, ...[second, last, perHour, allowed].map(number), verdict].map(String),
  );
  const { ordered, deleted } = fleet.counts;
  const facts = [
    ['ordered, deleted', `${ordered}, ${deleted}`],
    ['orders without row, and not deleted (lost)', String(end.missing)],
    ['servers at the provider when no row was left', String(end.left)],
    ['second servers of an order, of all that were made', `${end.doubled} of ${end.made}`],
    ['orphans, events without an end', `${end.orphans}, ${end.endless}`],
    ['errors', fleet.errors.map(([what, times]) => `${times} × ${what}`).join('; ') || 'none'],
  ];
  return [
    table(['quantity', 'second quarter', 'last quarter', 'slope per hour', 'allowed more', 'verdict'], growth),
    table(['invariant', 'found'], facts),
    table(
      ['of each, from its order to the end of its deletion', 'mean'],
      [...costs(samples, lives), ['requests to the provider', requests]].map(([name, value]) => [name, number(value)]),
    ),
  ].join('\n\n');
}
