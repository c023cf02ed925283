import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from 'pg';

const GUARD = resolve(__dirname, '../../../tools/lib/postgres-guard.mjs');

describe('the embedded PostgreSQL of npm start', () => {
  let folder: string;
  let first: ChildProcess;
  let url: string;
  const options = () => JSON.stringify({ dataDir: join(folder, 'postgres'), port: 0, persistent: true, fast: true });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'agent-controller-e2e-'));
    // As root, PostgreSQL runs as another account.
    await chmod(folder, 0o711);
    first = spawn(process.execPath, [GUARD, options()], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = (await once(first.stdout!, 'data')) as [Buffer];
    ({ url } = JSON.parse(line.toString()) as { url: string });
  });

  afterAll(async () => {
    if (first.exitCode === null) {
      first.stdin!.end();
      await once(first, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  });

  it('is not taken away by a second start in the same checkout, which says why it ends', async () => {
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((done) =>
      execFile(process.execPath, [GUARD, options()], (error, _stdout, stderr) => done({ code: error?.code, stderr })),
    );
    expect(code).toBe(1);
    expect(stderr).toContain('is in use: another `npm start`');
    expect(stderr).toContain('DATA_DIR');
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.end();
  });

  it('leaves no claim behind when it ends', async () => {
    first.stdin!.end();
    await once(first, 'exit');
    expect((await readdir(folder)).sort()).toEqual(['postgres', 'postgres.password']);
  });
});
