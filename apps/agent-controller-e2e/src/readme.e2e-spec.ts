import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');

/** The README's commands, run as they stand there, against what `npm start` starts. */
describe('README', () => {
  let folder: string;
  let system: ChildProcess;
  let exports: Record<string, string>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'agent-controller-readme-'));
    // As root, PostgreSQL runs as another account: its data would go elsewhere, and stay there.
    chmodSync(folder, 0o711);
    const environment = { PATH: process.env.PATH, PORT: '0', EMULATOR_PORT: '0', DATA_DIR: join(folder, 'data') };
    system = spawn(process.execPath, [join(ROOT, 'tools/start.mjs')], { cwd: ROOT, env: environment });
    exports = await new Promise((resolve, reject) => {
      let output = '';
      system.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (!output.includes('Ctrl-C stops everything')) return;
        resolve(
          Object.fromEntries([...output.matchAll(/export (\w+)=(\S+)/g)].map(([, name, value]) => [name, value])),
        );
      });
      system.once('exit', (code) => reject(new Error(`npm start ended with code ${code}:\n${output}`)));
    });
  });

  afterAll(async () => {
    const exited = once(system, 'exit');
    system.kill('SIGINT');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });

  it('the tour with curl works as it is written', async () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const blocks = [...readme.matchAll(/<!-- tour -->\n\n```bash\n([\s\S]*?)```/g)].map(([, block]) => block);
    expect(blocks.length).toBe(5);
    const script = ['set -euo pipefail', ...blocks].join('\n');
    const { status, output } = await bash(script, { cwd: folder, env: { PATH: process.env.PATH, ...exports } });
    expect({ status, end: output.slice(-500) }).toEqual({ status: 0, end: expect.any(String) as string });
    expect(output).toContain('event: phase');
    expect(output).toContain('"gitRepositoryUrl":"https://git.example.com/team/project.git"');
    expect(output).toContain('\nready\n');
    // No client, and no server.
    expect(output.endsWith('[][]')).toBe(true);
  });
});

async function bash(script: string, options: SpawnOptions): Promise<{ status: number | null; output: string }> {
  const child = spawn('bash', ['--norc', '-c', script], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  // Ends also when something that it started still holds its output.
  const [status] = (await once(child, 'exit')) as [number | null];
  return { status, output };
}
