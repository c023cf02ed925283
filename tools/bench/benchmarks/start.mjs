// From the start of the process until it answers that it is ready, on a database that has the schema already.
import { medianAndRange } from '../percentiles.mjs';
import { processorSeconds } from '../processes.mjs';
import { Stage, until } from '../stage.mjs';
import { table } from '../table.mjs';

export const options = { rounds: { type: 'string', default: '9' } };

export async function run({ rounds }) {
  const stage = await Stage.start();
  try {
    const figures = { listening: [], ready: [], memory: [], cpu: [] };
    for (let round = -1; round < Number(rounds); round++) {
      const controller = await stage.startController();
      await until(async () => (await fetch(`${controller.url}/api/health/ready`)).ok, 'the controller is ready');
      const ready = performance.now() - controller.began;
      if (round >= 0) {
        figures.listening.push(controller.listeningMs);
        figures.ready.push(ready);
        figures.cpu.push(processorSeconds(controller.pid) * 1000);
        figures.memory.push(controller.residentMiB());
      }
      await controller.stop();
    }
    return [
      `${rounds} starts after one that does not count, one after the other`,
      table(
        ['figure', 'median (range)'],
        [
          ['process started → listens', `${medianAndRange(figures.listening)} ms`],
          ['process started → ready answers 200', `${medianAndRange(figures.ready)} ms`],
          ['processor time until then', `${medianAndRange(figures.cpu)} ms`],
          ['resident memory then', `${medianAndRange(figures.memory)} MiB`],
        ],
      ),
    ];
  } finally {
    await stage.stop();
  }
}
