import 'reflect-metadata';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { createHash, webcrypto } from 'node:crypto';
import { getEventListeners, once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { until } from '../server-call.fixture';
import { postCallback } from './callback-post';
import { CallbackReporter, type CallbackMode } from './callback-reporter';
import { StatusDocument, type StatusView } from './status-document';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

describe('CallbackReporter', () => {
  const servers: Server[] = [];
  const reporters: CallbackReporter[] = [];
  let received: { headers: IncomingHttpHeaders; view: StatusView }[];
  let answers: number[];

  beforeEach(() => {
    received = [];
    answers = [];
  });
  afterEach(async () => {
    await Promise.all(reporters.splice(0).map((reporter) => reporter.close()));
    for (const server of servers.splice(0)) server.close();
  });

  const take: RequestListener = (request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      received.push({ headers: request.headers, view: JSON.parse(text) as StatusView });
      response.writeHead(answers.shift() ?? 204).end();
    });
  };
  async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
    servers.push(server);
    await once(server.listen(0, host), 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** Reports three changes. */
  function report(url: string, { mode = 'deliver' as CallbackMode, pins = [] as string[], trusted = '' } = {}) {
    const headers: [string, string][] = [
      ['Authorization', 'Bearer to"ken'],
      ['Content-Type', 'application/json'],
    ];
    const options = { mode, log: () => undefined, pauseMs: 1, ...(trusted ? { trusted } : {}) };
    const reporter = new CallbackReporter({ url: new URL(url), headers, pins }, options);
    reporters.push(reporter);
    const document = new StatusDocument(new Date(), (view) => reporter.report(view));
    document.report({ begun: ['docker'] });
    document.report({ ended: ['docker'], begun: ['proxy'] });
    document.report({ ended: ['proxy'], finished: true });
    return reporter;
  }
  const sequence = () => received.map(({ view }) => view.seq);
  const all = (count: number) =>
    until(
      async () => received,
      ({ length }) => length >= count,
    );

  it('posts the whole document at each change, with exactly the headers of the file', async () => {
    const reporter = report(`http://127.0.0.1:${await listen(createServer(take))}/callbacks/1`);
    await all(3);
    expect(sequence()).toEqual([1, 2, 3]);
    expect(received[0]?.headers).toMatchObject({
      authorization: 'Bearer to"ken',
      'content-type': 'application/json',
    });
    expect(received[2]?.view).toMatchObject({ state: 'finished', stage: 'proxy' });
    await until(
      async () => reporter.records,
      ({ length }) => length === 3,
    );
    expect(reporter.records).toEqual([1, 2, 3].map((seq) => ({ seq, outcome: '204' })));
  });

  it('leaves nothing at its signal, however often it posts', async () => {
    const { signal } = new AbortController();
    const url = new URL(`http://127.0.0.1:${await listen(createServer(take))}/`);
    for (let n = 0; n < 12; n++) await postCallback({ url, headers: [], pins: [] }, '{}', { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('tries again after 429 and 5xx, gives up one that is refused otherwise, and stops at 401', async () => {
    answers = [429, 503, 204, 413, 401];
    report(`http://127.0.0.1:${await listen(createServer(take))}/`);
    await all(5);
    expect(sequence()).toEqual([1, 1, 1, 2, 3]);

    received.length = 0;
    answers = [401];
    const refused = report(`http://127.0.0.1:${await listen(createServer(take))}/`);
    await until(
      async () => refused.records,
      ({ length }) => length > 0,
    );
    await refused.close();
    expect(refused.records).toEqual([{ seq: 1, outcome: '401' }]);
    expect(sequence()).toEqual([1]);
  });

  it('tries again where nothing listens, a few times for each', async () => {
    const closed = createServer();
    const port = await listen(closed);
    closed.close();
    await once(closed, 'close');
    const reporter = report(`http://127.0.0.1:${port}/`);
    await until(
      async () => reporter.records,
      (records) => records.some(({ seq }) => seq === 3),
    );
    const tries = (wanted: number) => reporter.records.filter(({ seq }) => seq === wanted).length;
    expect([tries(1), tries(2)]).toEqual([5, 5]);
    expect(reporter.records[0]?.outcome).toBe('ECONNREFUSED');
  });

  it('loses, doubles and reverses by order', async () => {
    const url = `http://127.0.0.1:${await listen(createServer(take))}/`;
    report(url, { mode: 'twice-and-reversed' });
    await all(6);
    expect(sequence()).toEqual([2, 2, 1, 1, 3, 3]);
    const lost = report(url, { mode: 'lose' });
    expect(lost.records).toEqual([1, 2, 3].map((seq) => ({ seq, outcome: 'lost' })));
    await lost.close();
    expect(received).toHaveLength(6);
  });

  it('checks certificates, and the pinned key on top', async () => {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=localhost',
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 3_600_000),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])],
    });
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
    const cert = certificate.toString('pem');
    const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`;
    const spki = Buffer.from(await webcrypto.subtle.exportKey('spki', keys.publicKey));
    const pin = createHash('sha256').update(spki).digest('base64');
    const other = createHash('sha256').digest('base64');
    const url = `https://localhost:${await listen(createHttpsServer({ cert, key }, take), 'localhost')}/`;

    const strange = report(url);
    const mismatched = report(url, { trusted: cert, pins: [other] });
    const first = (reporter: CallbackReporter) =>
      until(
        async () => reporter.records[0]?.outcome ?? '',
        (outcome) => outcome !== '',
      );
    expect(await first(strange)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(await first(mismatched)).toBe('PINNED_KEY_MISMATCH');
    expect(received).toEqual([]);
    expect(await first(report(url, { trusted: cert, pins: [other, pin] }))).toBe('204');
  });
});
