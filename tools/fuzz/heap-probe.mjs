// Preloaded into the controller by `npm run fuzz`: at SIGUSR2 it collects garbage and writes how much heap is in use.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGUSR2', () => {
  // Twice: what the first one finalises goes by the second.
  collect();
  setImmediate(() => {
    collect();
    process.stdout.write(`${JSON.stringify({ heapProbe: process.memoryUsage() })}\n`);
  });
});
