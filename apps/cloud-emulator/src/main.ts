import { parseArgs } from 'node:util';
import { startEmulator } from './cloud-emulator';

const WATCH_MS = 500;

/** `main.js [--host H] [--port N] [--boot-ms N] [--install-ms N] [--start-ms N] [--state FILE] [--log] [--exit-with PID] [--boot=vm --lab DIR]` */
async function main(): Promise<void> {
  if (process.env['NODE_ENV'] === 'production') throw new Error('The cloud emulator never runs in production.');
  const { values } = parseArgs({
    options: {
      host: { type: 'string' },
      port: { type: 'string' },
      'boot-ms': { type: 'string' },
      'install-ms': { type: 'string' },
      'start-ms': { type: 'string' },
      'exit-with': { type: 'string' },
      state: { type: 'string' },
      log: { type: 'boolean' },
      boot: { type: 'string' },
      lab: { type: 'string' },
    },
  });
  const parent = number('exit-with', values['exit-with']);
  const emulator = await startEmulator({
    ...given('host', values.host),
    ...given('port', number('port', values.port)),
    ...given('bootMs', number('boot-ms', values['boot-ms'])),
    ...given('installMs', number('install-ms', values['install-ms'])),
    ...given('startMs', number('start-ms', values['start-ms'])),
    ...given('stateFile', values.state),
    ...given('labFolder', labFolder(values)),
    log: values.log ? (message) => void process.stderr.write(`${new Date().toISOString()} ${message}\n`) : undefined,
  });
  process.stdout.write(`cloud-emulator listening on ${emulator.url}\n`);
  const stop = () => void emulator.close().finally(() => process.exit(0));
  process.once('SIGTERM', stop).once('SIGINT', stop);
  if (parent === undefined) return;
  const watch = setInterval(() => {
    if (isAlive(parent)) return;
    clearInterval(watch);
    stop();
  }, WATCH_MS);
}

/** @returns the lab's folder when servers are to be virtual machines */
function labFolder({ boot = 'emulated', lab }: { boot?: string; lab?: string }): string | undefined {
  if (boot === 'emulated' && lab === undefined) return undefined;
  if (boot !== 'vm' || lab === undefined) throw new Error('--boot=vm and --lab DIR belong together');
  return lab;
}

function given<T>(key: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [key]: value };
}

function number(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value)) throw new Error(`--${name} must be a whole number`);
  return Number(value);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process may be looked at, but not be signalled.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
