import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const TOKEN = 'Sup3rS3cretToken';
const root = join(__dirname, '../../..');

/** A process that dies by an error as HTTP libraries throw it: with the request, and its token, on it. */
function dieBy(how: string): { output: string; status: number | null } {
  const program = `
    const { transformSync } = require('@swc/core');
    const { swcOptions } = require('./tools/lib/swc-options.cjs');
    require.extensions['.ts'] = (module, file) =>
      module._compile(transformSync(require('fs').readFileSync(file, 'utf8'), { ...swcOptions, filename: file }).code, file);
    const { createLogger } = require('./apps/agent-controller/src/logger.ts');
    const { endByError } = require('./apps/agent-controller/src/shutdown.ts');
    endByError(createLogger('trace'));
    const request = { headers: { authorization: '${TOKEN}' }, data: '${TOKEN}' };
    const error = Object.assign(new Error('what happened', { cause: Object.assign(new Error('why'), request) }), request);
    ${how}
    setTimeout(() => undefined, 60_000);`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', program], { cwd: root, encoding: 'utf8' });
  return { output: stdout + stderr, status };
}

describe('an error that nobody caught', () => {
  it.each([
    ['thrown later', 'setImmediate(() => { throw error; });'],
    ['thrown at once', 'throw error;'],
    ['a rejection', 'void Promise.reject(error);'],
    ['no error at all', 'void Promise.reject(request);'],
    ['emitted', `new (require('events'))().emit('error', error);`],
  ])('%s: ends the process with 1, is in the log, and shows no request', (_what, how) => {
    const { output, status } = dieBy(how);
    expect(status).toBe(1);
    expect(output).not.toContain(TOKEN);
    expect(output).toContain('an error that nobody caught ends the controller');
    if (!how.includes('(request)')) expect(output).toContain('what happened');
  });
});
