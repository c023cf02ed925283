// What a controller costs that has nothing to do: memory, processor time, and what it asks the database.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { medianAndRange } from '../percentiles.mjs';
import { Stage } from '../stage.mjs';
import { table } from '../table.mjs';

export const options = {
  seconds: { type: 'string', default: '60' },
  settle: { type: 'string', default: '35' },
  show: { type: 'boolean', default: false },
};
const TICKS_PER_SECOND = 100;

export async function run({ seconds, settle, show }) {
  const stage = await Stage.start();
  try {
    const controller = await stage.startController();
    await sleep(Number(settle) * 1000);
    if (show) await stage.query("ALTER SYSTEM SET log_statement = 'all'");
    const before = await transactions(stage);
    const cpuBefore = processorSeconds(controller.pid);
    const memory = [];
    for (let second = 0; second < Number(seconds); second++) {
      await sleep(1_000);
      memory.push(controller.residentMiB());
    }
    const cpu = processorSeconds(controller.pid) - cpuBefore;
    const statements = (await transactions(stage)) - before - OWN;
    return [
      `no servers; ${seconds} s, beginning ${settle} s after the start`,
      table(
        ['figure', 'value'],
        [
          ['resident memory', `${medianAndRange(memory)} MiB`],
          ['statements (transactions of the database)', `${(statements / Number(seconds)).toFixed(2)} a second`],
          ['processor time', `${((1000 * cpu) / Number(seconds)).toFixed(1)} ms a second`],
        ],
      ),
    ];
  } finally {
    await stage.stop();
  }
}

/** Our own question, by which the figures are read: the first of the two counts. */
const OWN = 1;

// Each statement of an idle controller is a transaction of its own; the figures of a session come with its end, or
// within a second. Workers of PostgreSQL itself are not counted here.
async function transactions(stage) {
  await sleep(1_100);
  const [{ count }] = await stage.query(
    'SELECT xact_commit + xact_rollback AS count FROM pg_stat_database WHERE datname = current_database()',
  );
  return Number(count);
}

function processorSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
