import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SecretsFetcher, type RedemptionMode } from './secrets-fetcher';

const ID = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff';
const HOME = '/opt/agent-manager';

interface Body {
  attempt: number;
  publicKey: string;
  sentAt: number;
  signature: string;
}

describe('SecretsFetcher', () => {
  let controller: Server;
  let bodies: Body[];
  let statuses: number[];
  let files: unknown[];

  beforeEach(async () => {
    bodies = [];
    statuses = [];
    files = [
      { path: `${HOME}/docker-compose.override.yml`, permissions: '0600', content: 'ö $' },
      { path: `${HOME}/tls/key.pem`, permissions: '0600', content: 'key' },
    ];
    controller = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        bodies.push(JSON.parse(text) as Body);
        // The first key wins, as at the controller.
        const isOther = bodies.at(-1)?.publicKey !== bodies[0]?.publicKey;
        const status = statuses.shift() ?? (isOther ? 401 : 200);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ files }));
      });
    }).listen(0, '127.0.0.1');
    await once(controller, 'listening');
  });
  afterEach(() => controller.close());

  function fetchFiles(mode: RedemptionMode = 'deliver', { signal = new AbortController().signal, attempts = 5 } = {}) {
    const { port } = controller.address() as AddressInfo;
    const headers: [string, string][] = [['Authorization', 'Bearer token']];
    const target = { url: new URL(`http://127.0.0.1:${port}/x`), headers, pins: [] };
    const options = { mode, log: () => undefined, signal, pauseMs: 1, attempts };
    return new SecretsFetcher({ target, provisioningId: ID, attempt: 2 }, options).fetch();
  }

  it('signs what it sends, and takes what it gets', async () => {
    const [override, key] = await fetchFiles();
    expect(override?.content.toString('utf8')).toBe('ö $');
    expect(key).toMatchObject({ path: `${HOME}/tls/key.pem`, permissions: '0600' });
    const [{ attempt, publicKey, sentAt, signature } = {} as Body] = bodies;
    const text = ['agent-controller bootstrap redemption v1', ID, attempt, publicKey, sentAt].join('\n');
    const spki = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    expect(attempt).toBe(2);
    expect(verify('sha256', Buffer.from(text), spki, Buffer.from(signature, 'base64'))).toBe(true);
  });

  it.each<[RedemptionMode, number]>([
    ['lose-answer', 2],
    ['unreachable', 1],
  ])('%s: gets them all the same, with one key', async (mode, requests) => {
    expect(await fetchFiles(mode)).toHaveLength(2);
    expect(bodies).toHaveLength(requests);
    expect(new Set(bodies.map(({ publicKey }) => publicKey)).size).toBe(1);
    expect(new Set(bodies.map(({ sentAt }) => sentAt)).size).toBe(requests);
  });

  it('thief: is refused after another key', async () => {
    await expect(fetchFiles('thief')).rejects.toThrow('error 401: the controller refuses this server');
    expect(bodies).toHaveLength(4);
  });

  it('waits for a controller that cannot answer', async () => {
    statuses = [503, 429, 500];
    expect(await fetchFiles()).toHaveLength(2);
  });

  it('ends with its server', async () => {
    statuses = Array<number>(1_000).fill(503);
    const ending = new AbortController();
    const fetching = fetchFiles('deliver', { signal: ending.signal, attempts: 1_000 });
    ending.abort();
    await expect(fetching).rejects.toThrow();
  });

  it.each([
    ['elsewhere', { path: '/etc/passwd', permissions: '0600', content: '' }],
    ['that others could read', { path: `${HOME}/callback.curlrc`, permissions: '0644', content: '' }],
    ['twice', { path: `${HOME}/tls/key.pem`, permissions: '0600', content: '' }],
  ])('takes no file %s', async (_where, file) => {
    files.push(file);
    await expect(fetchFiles()).rejects.toThrow('ZodError');
  });
});
