import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';

const GUARD = resolve(__dirname, '../../../tools/lib/postgres-guard.mjs');
const LIBRARY = resolve(__dirname, '../../../tools/lib/embedded-database.mjs');

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

  it('leaves nothing behind of data that is thrown away, wherever it had to be put', async () => {
    // Nobody but root enters it: for root, the data goes elsewhere.
    const closed = await mkdtemp(join(tmpdir(), 'agent-controller-e2e-'));
    const script = `import { startEmbeddedDatabase } from ${JSON.stringify(LIBRARY)};
      const options = { dataDir: ${JSON.stringify(join(closed, 'data'))}, fast: true };
      const thrownAway = await startEmbeddedDatabase({ ...options, persistent: false });
      await thrownAway.stop();
      const removed = await startEmbeddedDatabase({ ...options, persistent: true });
      await removed.remove();
      console.log(JSON.stringify([thrownAway.dataDir, removed.dataDir]));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    const folders = (JSON.parse(stdout) as string[]).map((dataDir) => dirname(dataDir));
    const left = folders.map((each) => (existsSync(each) ? readdirSync(each) : []));
    await rm(closed, { recursive: true });
    expect(left).toEqual([[], []]);
    for (const each of folders) expect(existsSync(each)).toBe(false);
  });
});
