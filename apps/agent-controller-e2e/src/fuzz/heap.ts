import type { Controller } from '../support/controller-process';
import { until } from '../support/until';

/** Preloaded: see `tools/fuzz/heap-probe.mjs`. */
const LINE = /^\{"heapProbe":(.*)\}$/;

/** Bytes of heap that the controller holds after its garbage was collected. */
export async function heapInUse(controller: Controller): Promise<number> {
  const before = probes(controller).length;
  controller.signal('SIGUSR2');
  const seen = await until(
    async () => probes(controller),
    (found) => found.length > before,
    30_000,
  );
  const { heapUsed, external } = JSON.parse(seen.at(-1) ?? '{}') as NodeJS.MemoryUsage;
  return heapUsed + external;
}

function probes(controller: Controller): string[] {
  return controller
    .log()
    .split('\n')
    .flatMap((line) => LINE.exec(line)?.[1] ?? []);
}
