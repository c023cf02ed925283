import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const PROGRAM = resolve(__dirname, 'run.mjs');

/** That each benchmark runs and prints its table; what it measures is nothing for a test. */
describe('npm run bench', () => {
  it.each([
    ['start', '--rounds', '1'],
    ['idle', '--seconds', '1', '--settle', '0'],
    ['accept', '--rounds', '1', '--seconds', '1', '--rate', '5', '--connections', '2', '--not-durable'],
    ['soak', '--minutes', '0.3', '--rate', '1', '--sample-seconds', '2', '--boot-ms', '100', '--life-seconds', '1'],
    ['reads', '--rounds', '1', '--seconds', '1', '--clients', '3', '--connections', '2'],
    ['provisioning', '--count', '2', '--boot-ms', '200', '--reports'],
    ['deletion', '--count', '2'],
    ['sse', '--streams', '3', '--events', '200', '--rate', '100'],
    ['clients', '--few', '2', '--many', '4', '--seconds', '1'],
    ['controllers', '--seconds', '1'],
  ])('%s', async (...args) => {
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...args]);
    expect(stdout).toContain(`npm run bench -- ${args.join(' ')}`);
    expect(stdout).toMatch(/\n\| .+ \|\n\| -+.+\|\n\| .+\d.+ \|\n/);
  });

  it('names what there is', async () => {
    await expect(promisify(execFile)(process.execPath, [PROGRAM, 'nothing'])).rejects.toMatchObject({
      stderr: expect.stringContaining(
        'accept, clients, controllers, deletion, idle, provisioning, reads, soak, sse, start.',
      ) as unknown,
    });
  });
});
