import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = join(__dirname, 'main.ts');
// From the sources: dist may be older, or not be there.
const NODE = ['-r', 'ts-node/register/transpile-only'];

const started: ChildProcess[] = [];

function start(options: string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, [...NODE, PROGRAM, ...options], {
    env: { ...process.env, NODE_ENV: 'test', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  return child;
}

function ended(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

/** The address in the line that says that it listens. */
async function urlOf(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const url = /^cloud-emulator listening on (http:\S+)$/.exec(line)?.[1];
    if (url) return url;
  }
  throw new Error('The emulator ended before it listened');
}

/** A process that lives until it is ended. */
function sleeper(): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 60_000)'], { stdio: 'ignore' });
  started.push(child);
  return child;
}

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await ended(child);
  }
});

describe('main', () => {
  it('refuses to run in production', async () => {
    const child = start(['--port', '0'], { NODE_ENV: 'production' });
    const [[code], errors, output] = await Promise.all([ended(child), textOf(child.stderr), textOf(child.stdout)]);
    expect(code).toBe(1);
    expect(errors).toContain('never runs in production');
    expect(output).toBe('');
  });

  it.each([
    [['--port', 'http'], '--port must be a whole number'],
    [['--port', '0', '--exit-with', '-1'], '--exit-with'],
    [['--port', '0', '--boot-ms', '1.5'], '--boot-ms must be a whole number'],
    [['--unknown'], '--unknown'],
  ])('refuses %j', async (options, message) => {
    const child = start(options);
    const [[code], errors] = await Promise.all([ended(child), textOf(child.stderr)]);
    expect(code).toBe(1);
    expect(errors).toContain(message);
  });

  it('takes its times from the command line, answers, and ends on SIGTERM', async () => {
    const child = start(['--port', '0', '--boot-ms', '11', '--install-ms', '12', '--start-ms', '13']);
    const settings = await fetch(`${await urlOf(child)}/admin/settings`);
    expect(await settings.json()).toMatchObject({ bootMs: 11, installMs: 12, startMs: 13 });
    const end = ended(child);
    child.kill('SIGTERM');
    expect(await end).toEqual([0, null]);
  });

  it('ends when the process that it was tied to is gone', async () => {
    const parent = sleeper();
    const child = start(['--port', '0', '--exit-with', String(parent.pid)]);
    const url = await urlOf(child);
    expect((await fetch(`${url}/admin/servers`)).status).toBe(200);
    const end = ended(child);
    parent.kill('SIGKILL');
    expect(await end).toEqual([0, null]);
    await expect(fetch(`${url}/admin/servers`)).rejects.toThrow();
  });
});
