// What a controller costs that has nothing to do: memory, processor time, and what it asks the database.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { medianAndRange } from '../percentiles.mjs';
import { processorSeconds } from '../processes.mjs';
import { Stage, until } from '../stage.mjs';
import { table } from '../table.mjs';

export const options = {
  seconds: { type: 'string', default: '60' },
  settle: { type: 'string', default: '35' },
  show: { type: 'boolean', default: false },
};
const COUNTER = new URL('../count-statements.mjs', import.meta.url).href;

export async function run({ seconds, settle, show }) {
  const stage = await Stage.start();
  try {
    const file = join(stage.folder, 'statements.json');
    const env = { BENCH_STATEMENTS_FILE: file };
    const controller = await stage.startController({ env, nodeFlags: ['--import', COUNTER] });
    await sleep(Number(settle) * 1000);
    const before = await statements(controller, file);
    const cpuBefore = processorSeconds(controller.pid);
    const memory = [];
    for (let second = 0; second < Number(seconds); second++) {
      await sleep(1_000);
      memory.push(controller.residentMiB());
    }
    const cpu = processorSeconds(controller.pid) - cpuBefore;
    const after = await statements(controller, file);
    const sent = [...after].map(([text, count]) => [text, count - (before.get(text) ?? 0)]);
    if (show) for (const [text, count] of sent) if (count > 0) console.log(count, text.replace(/\s+/g, ' '));
    const all = sent.reduce((sum, [, count]) => sum + count, 0);
    return [
      `no servers; ${seconds} s, beginning ${settle} s after the start`,
      table(
        ['figure', 'value'],
        [
          ['resident memory', `${medianAndRange(memory)} MiB`],
          ['statements to the database', `${(all / Number(seconds)).toFixed(2)} a second`],
          ['processor time', `${((1000 * cpu) / Number(seconds)).toFixed(1)} ms a second`],
        ],
      ),
    ];
  } finally {
    await stage.stop();
  }
}

async function statements({ pid }, file) {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  return until(() => read(file), 'the controller writes what it has asked');
}

function read(file) {
  try {
    return new Map(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Not there yet, or not all of it.
    return null;
  }
}
