import { dump } from 'js-yaml';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callbackFile } from './callback-file';
import { STATUS_REPORT } from './status-report';

// CI installs these and sets REQUIRE_SYSTEM_TOOLS=1: there, a missing one is a failure.
const isPresent = process.env.REQUIRE_SYSTEM_TOOLS === '1' || spawnSync('python3', ['-c', 'import yaml']).status === 0;
const withPython = isPresent ? it : it.skip;
const label = isPresent ? '' : ' (skipped: python3-yaml is not installed here)';

interface Document {
  seq: number;
  state: string;
  stage: string;
  stages: { name: string; startedAt: string; endedAt: string | null }[];
  error: { stage: string; cause: string; line: number; exitCode: number; logTail: string[] } | null;
}

const SECRETS = ['p$4ss "quoted" wörd', 'first line of a key\nsecond line of a key', 'tenletters'];

describe('report.py', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'status-report-'));
    for (const name of ['home/tls', 'run', 'run-log']) mkdirSync(join(folder, name), { recursive: true });
    const environment = Object.fromEntries(SECRETS.map((value, index) => [`V${index}`, value.replaceAll('$', '$$$$')]));
    const services = { 'agent-manager': { environment: { ...environment, AUTHENTICATION_METHOD: 'api-key' } } };
    writeFileSync(join(folder, 'home/docker-compose.override.yml'), dump({ services }));
    writeFileSync(
      join(folder, 'home/tls/key.pem'),
      '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqG\n-----END PRIVATE KEY-----\n',
    );
    const script = STATUS_REPORT.replaceAll('/opt/agent-manager', join(folder, 'home')).replaceAll(
      '/run/agent-manager',
      join(folder, 'run'),
    );
    writeFileSync(join(folder, 'report.py'), script);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const report = (...args: string[]) =>
    execFileSync('python3', [join(folder, 'report.py'), ...args], { encoding: 'utf8' });
  const document = () => JSON.parse(readFileSync(join(folder, 'run/status.json'), 'utf8')) as Document;
  const log = (text: string) => writeFileSync(join(folder, 'run-log/bootstrap.log'), text);

  withPython(`names the stage that began last of those that run${label}`, () => {
    report('begin', 'docker');
    report('end', 'docker', 'begin', 'agent-manager-image', 'begin', 'proxy');
    expect(document()).toMatchObject({ seq: 2, state: 'running', stage: 'proxy', error: null });
    report('end', 'proxy');
    expect(document()).toMatchObject({ seq: 3, stage: 'agent-manager-image' });
    report('end', 'agent-manager-image', 'finish');
    expect(document()).toMatchObject({ seq: 4, state: 'finished' });
    expect(document().stages.map(({ name }) => name)).toEqual(['boot', 'docker', 'agent-manager-image', 'proxy']);
    expect(document().stages.every(({ endedAt }) => endedAt !== null)).toBe(true);
  });

  withPython(`loses no change of reports at the same time${label}`, async () => {
    report('begin', 'docker');
    const exits = Array.from({ length: 8 }, (_, index) => {
      const child = spawn('python3', [join(folder, 'report.py'), 'begin', `stage-${index}`], { stdio: 'inherit' });
      return new Promise((done) => child.once('exit', done));
    });
    expect(await Promise.all(exits)).toEqual(Array(8).fill(0));
    expect(document()).toMatchObject({ seq: 9 });
    expect(document().stages).toHaveLength(10);
  });

  withPython(`tells the cause and the last lines, and no secret${label}`, () => {
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
    log(
      [
        ...lines,
        ...SECRETS,
        JSON.stringify(SECRETS),
        '\u001b[31mMIGHAgEAMBMGByqG\u001b[0m',
        'method api-key',
        'E: tenletters cannot be had',
        '== the end',
      ].join('\n'),
    );
    report('begin', 'docker');
    report('fail', 'docker', '12', '100', 'Docker could not be installed');
    const { error, state } = document();
    expect(state).toBe('failed');
    expect(error).toMatchObject({ stage: 'docker', line: 12, exitCode: 100 });
    expect(error?.cause).toBe('Docker could not be installed (E: [secret] cannot be had)');
    expect(error?.logTail).toHaveLength(40);
    expect(error?.logTail).toContain('method api-key');
    const text = readFileSync(join(folder, 'run/status.json'), 'utf8');
    for (const secret of [...SECRETS.flatMap((value) => value.split('\n')), 'MIGHAgEAMBMGByqG', 'quoted']) {
      expect(text).not.toContain(secret);
    }
  });

  withPython(`tells the cause as well before the secret files are here, without the bootstrap token${label}`, () => {
    rmSync(join(folder, 'home/docker-compose.override.yml'));
    rmSync(join(folder, 'home/tls/key.pem'));
    const token = 'the-bootstrap-token';
    const file = callbackFile({ url: 'http://127.0.0.1:9/x', token, pins: [] });
    writeFileSync(join(folder, 'home/redemption.curlrc'), file);
    log(`sent ${token}\ncurl: (7) Failed to connect\n== secrets failed in line 1`);
    report('begin', 'secrets');
    report('fail', 'secrets', '1', '1', 'The secret files could not be fetched');
    expect(document().error).toMatchObject({
      stage: 'secrets',
      cause: 'The secret files could not be fetched (curl: (7) Failed to connect)',
      logTail: ['sent [secret]', 'curl: (7) Failed to connect', '== secrets failed in line 1'],
    });
  });

  withPython(`keeps the first failure${label}`, () => {
    log('x');
    report('fail', 'docker', '1', '2', 'the first');
    report('fail', 'proxy', '3', '4', 'the second');
    report('begin', 'proxy');
    expect(document()).toMatchObject({
      seq: 1,
      stage: 'docker',
      error: { cause: expect.stringContaining('the first') },
    });
  });

  withPython(`stays within 16 KiB whatever the log holds${label}`, () => {
    log('\u{1F600}"\\'.repeat(50_000) + '\n' + Array(400).fill('é\u0007"'.repeat(200)).join('\n'));
    report('fail', 'docker', '1', '2', 'c');
    expect(readFileSync(join(folder, 'run/status.json')).length).toBeLessThan(16_384);
  });

  withPython(`prints a service's image${label}`, () => {
    writeFileSync(join(folder, 'home/docker-compose.yml'), dump({ services: { proxy: { image: 'a$$b:1' } } }));
    expect(report('image', 'proxy')).toBe('a$b:1\n');
  });

  describe('callbacks', () => {
    let server: Server;
    const received: { authorization?: string; body: string }[] = [];
    beforeEach(async () => {
      received.length = 0;
      server = createServer((request, response) => {
        let body = '';
        request.on('data', (chunk) => (body += String(chunk)));
        request.on('end', () => {
          received.push({ authorization: request.headers.authorization, body });
          response.writeHead(received.length === 1 ? 503 : 204).end();
        });
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    });
    afterEach(() => new Promise((done) => server.close(done)));

    withPython(`sends the document until it is taken, with the token out of sight${label}`, async () => {
      const { port } = server.address() as AddressInfo;
      const file = join(folder, 'home/callback.curlrc');
      writeFileSync(file, callbackFile({ url: `http://127.0.0.1:${port}/x`, token: 'to"ken\\', pins: [] }));
      chmodSync(file, 0o600);
      report('begin', 'docker');
      while (received.length < 2) await new Promise((done) => setTimeout(done, 50));
      expect(received[1]?.authorization).toBe('Bearer to"ken\\');
      expect(JSON.parse(received[1]?.body ?? '')).toEqual(document());
      expect(existsSync(file)).toBe(true);
    });
  });
});
