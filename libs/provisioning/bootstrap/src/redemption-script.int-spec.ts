import { spawn, spawnSync } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callbackFile } from './callback-file';
import { REDEMPTION_SCRIPT } from './redemption-script';
import { createServerTls } from './server-tls';

// CI installs these and sets REQUIRE_SYSTEM_TOOLS=1: there, a missing one is a failure.
const isPresent =
  process.env.REQUIRE_SYSTEM_TOOLS === '1' ||
  ['python3', 'curl', 'openssl'].every((tool) => spawnSync(tool, ['--help']).error === undefined);
const withTools = isPresent ? it : it.skip;
const label = isPresent ? '' : ' (skipped: python3, curl or openssl is not installed here)';

const ID = '11111111-1111-4111-8111-111111111111';
const NASTY = 'it\'s "quoted" $HOME $$ äöü 日本 \u{1F600}\r\n\u0085\ttab\n';

interface Asked {
  authorization?: string;
  url?: string;
  body: { attempt: number; publicKey: string; sentAt: number; signature: string };
}
type Answer = (asked: Asked, request: IncomingMessage) => { status: number; body?: unknown } | 'break';

describe('redeem.py', () => {
  let folder: string;
  let server: Server;
  let pin: string;
  let answer: Answer;
  let asked: Asked[];
  const home = (name: string) => join(folder, 'home', name);

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'redemption-'));
    mkdirSync(home('tls'), { recursive: true });
    // Its name is one that curl resolves to this machine by itself.
    const tls = await createServerTls('controller', new Date());
    pin = tls.spkiSha256;
    writeFileSync(join(folder, 'ca.pem'), tls.certificatePem);
    asked = [];
    answer = () => ({ status: 200, body: { files: files() } });
    server = createServer({ cert: tls.certificatePem, key: tls.privateKeyPem }, (request, response) => {
      let text = '';
      request.on('data', (chunk) => (text += String(chunk)));
      request.on('end', () => {
        const { authorization } = request.headers;
        asked.push({ authorization, url: request.url, body: JSON.parse(text) as Asked['body'] });
        const given = answer(asked[asked.length - 1] as Asked, request);
        if (given === 'break') return void request.socket.destroy();
        response.writeHead(given.status, { 'content-type': 'application/json' });
        response.end(typeof given.body === 'string' ? given.body : JSON.stringify(given.body ?? {}));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    rmSync(folder, { recursive: true, force: true });
  });

  const files = () => [
    { path: home('docker-compose.override.yml'), permissions: '0600', content: NASTY },
    { path: home('tls/key.pem'), permissions: '0600', content: 'the key' },
    { path: home('callback.curlrc'), permissions: '0600', content: 'the callback' },
  ];

  /** Runs it as the bootstrap does, in a folder of its own. */
  async function redeem({ pins = [pin], patience = 420, isTrusted = true } = {}) {
    const { port } = server.address() as AddressInfo;
    const name = 'controller.agent.internal';
    const config = callbackFile({ url: `https://${name}:${port}/bootstrap/${ID}`, token: 'the-token', pins });
    writeFileSync(home('redemption.curlrc'), `${config}resolve = "${name}:${port}:127.0.0.1"\n`, { mode: 0o600 });
    writeFileSync(home('redemption.json'), JSON.stringify({ provisioningId: ID, attempt: 3 }));
    const script = REDEMPTION_SCRIPT.replaceAll('/opt/agent-manager', join(folder, 'home'))
      .replaceAll('/run/agent-manager', join(folder, 'run'))
      .replace('PATIENCE = 420', `PATIENCE = ${patience}`);
    writeFileSync(join(folder, 'redeem.py'), script);
    const trust = isTrusted ? { CURL_CA_BUNDLE: join(folder, 'ca.pem') } : {};
    const child = spawn('python3', [join(folder, 'redeem.py')], { env: { ...process.env, ...trust } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
    const code = await new Promise((done) => child.once('close', done));
    return { code, output };
  }

  const isSigned = ({ body }: Asked) => {
    const lines = ['agent-controller bootstrap redemption v1', ID, body.attempt, body.publicKey, body.sentAt];
    const key = createPublicKey({ key: Buffer.from(body.publicKey, 'base64'), format: 'der', type: 'spki' });
    expect(key.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
    return verify('sha256', Buffer.from(lines.join('\n')), key, Buffer.from(body.signature, 'base64'));
  };
  const left = () =>
    ['docker-compose.override.yml', 'tls/key.pem', 'callback.curlrc'].filter((name) => existsSync(home(name)));

  withTools(`writes what it was given, byte for byte, and leaves no trace of its key and token${label}`, async () => {
    writeFileSync(home('callback.curlrc'), 'the earlier one');
    writeFileSync(home('tls/key.pem.new'), 'of a run that was cut off', { mode: 0o644 });
    expect(await redeem()).toEqual({ code: 0, output: '' });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      authorization: 'Bearer the-token',
      url: `/bootstrap/${ID}`,
      body: { attempt: 3 },
    });
    expect(asked.map(isSigned)).toEqual([true]);
    for (const { path, content } of files()) {
      expect(readFileSync(path, 'utf8')).toBe(content);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(statSync(path).uid).toBe(process.getuid?.());
      expect(existsSync(`${path}.new`)).toBe(false);
    }
    for (const gone of [home('redemption.curlrc'), home('redemption.json'), join(folder, 'run-key')]) {
      expect(existsSync(gone)).toBe(false);
    }
  });

  withTools(`asks again with the same key, signed anew, when the answer gets lost${label}`, async () => {
    answer = () =>
      asked.length === 1 ? 'break' : asked.length === 2 ? { status: 503 } : { status: 200, body: { files: files() } };
    const { code, output } = await redeem();
    expect(code).toBe(0);
    expect(output).toContain('error 503');
    expect(asked.map(isSigned)).toEqual([true, true, true]);
    expect(new Set(asked.map(({ body }) => body.publicKey)).size).toBe(1);
    const times = asked.map(({ body }) => body.sentAt);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    expect(left()).toHaveLength(3);
  });

  withTools(`gives up when it is refused, and says so${label}`, async () => {
    answer = () => ({ status: 401 });
    const { code, output } = await redeem();
    expect(code).toBe(1);
    expect(asked).toHaveLength(3);
    expect(output.trim().split('\n').at(-1)).toBe(
      'error 401: the controller refuses this server: somebody else has fetched them, or the token is dead',
    );
    expect(output).not.toContain('the-token');
    expect(left()).toEqual([]);
  });

  withTools(`gives up after its time, with curl's own words${label}`, async () => {
    answer = () => 'break';
    const { code, output } = await redeem({ patience: 2 });
    expect(code).toBe(1);
    expect(output).toMatch(/curl: \(\d+\) /);
  });

  const outside = () => ({ path: join(folder, 'outside'), permissions: '0600', content: 'x' });
  withTools.each([
    ['a file elsewhere', () => ({ files: [...files(), outside()] })],
    ['a way out of the folder', () => ({ files: [...files(), { ...outside(), path: home('../outside') }] })],
    ['a file too few', () => ({ files: files().slice(1) })],
    ['a file twice', () => ({ files: [...files(), files()[0]] })],
    ['other permissions', () => ({ files: files().map((file) => ({ ...file, permissions: '0644' })) })],
    ['content that is no text', () => ({ files: files().map((file) => ({ ...file, content: 5 })) })],
    ['no files', () => ({})],
    ['no object', () => []],
    ['no JSON', () => 'x'],
  ])(`writes nothing when the answer has %s${label}`, async (_what, body) => {
    answer = () => ({ status: 200, body: body() });
    const { code, output } = await redeem({ patience: 0 });
    expect(code).toBe(1);
    expect(output).toContain("error: the controller's answer is not what it should be");
    expect(output).not.toContain('quoted');
    expect(left()).toEqual([]);
    expect(existsSync(join(folder, 'outside'))).toBe(false);
  });

  withTools.each([
    ['a certificate that nobody vouches for', { isTrusted: false }],
    ['a key that is not pinned', { pins: [Buffer.alloc(32, 1).toString('base64')] }],
  ])(`tells %s nothing${label}`, async (_what, changes) => {
    const { code, output } = await redeem({ ...changes, patience: 0 });
    expect(code).toBe(1);
    expect(output).toContain('curl: (');
    expect(asked).toEqual([]);
    expect(left()).toEqual([]);
  });
});
