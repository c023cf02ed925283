import 'reflect-metadata';
import type { AgentCredentials } from '@agent-controller/clients';
import { loopbackGuard, OUTDATED_TLS, TlsTrap } from '@agent-controller/outbound/testing';
import { createServerTls, type ServerTls } from '@agent-controller/provisioning-bootstrap';
import { X509CertificateGenerator } from '@peculiar/x509';
import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { connect, createServer as createTlsServer, type TlsOptions, type TLSSocket } from 'node:tls';
import { AgentServer } from '../testing/agent-server';
import { AgentHealthClient } from './agent-health.client';
import type { AgentTarget } from './agent-target';

const KEY = 'Sup3rS3cret';
const credentials: AgentCredentials = { type: 'api_key', apiKey: KEY };
const never = new AbortController().signal;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Everything that the controller asks of agent-managers. */
const client = new AgentHealthClient(loopbackGuard());
const CALLS: [string, (target: AgentTarget) => Promise<{ state: string; reason?: string }>][] = [
  ['the look at a booting server', (target) => client.look(target, never)],
  ['the check before it is ready', (target) => client.check(target, credentials, never)],
  ['the look at a ready one', (target) => client.recheck(target, credentials, never)],
];
const NO_ANSWER = ['silent', 'not-ready', 'unreachable'];

describe('somebody between the controller and an agent-manager', () => {
  let tls: ServerTls;
  let other: ServerTls;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(() => {
    tls = createServerTls('client-1', new Date());
    other = createServerTls('client-1', new Date());
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  async function trapWith(options: TlsOptions | null): Promise<TlsTrap> {
    const trap = await TlsTrap.start(options);
    stops.push(() => trap.stop());
    return trap;
  }

  /** The server of `tls`, as the controller knows it, at another's port. */
  const at = (port: number): AgentTarget => ({
    endpoint: `https://127.0.0.1:${port}`,
    serverName: tls.serverName,
    spkiSha256: tls.spkiSha256,
  });
  const own = ({ privateKeyPem, certificatePem }: ServerTls) => ({ key: privateKeyPem, cert: certificatePem });

  /** The attacker's key in a certificate that an authority signed for the server's name, with the authority's own. */
  async function signedByAuthority(): Promise<TlsOptions> {
    const authority = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    const crypto = webcrypto as unknown as NonNullable<Parameters<typeof X509CertificateGenerator.create>[1]>;
    const times = { notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + 86_400_000) };
    const root = await X509CertificateGenerator.createSelfSigned(
      { serialNumber: '01', name: 'CN=Trusted Authority', ...times, signingAlgorithm: ALGORITHM, keys: authority },
      crypto,
    );
    const spki = createPublicKey(other.privateKeyPem).export({ type: 'spki', format: 'der' });
    const leaf = await X509CertificateGenerator.create(
      {
        serialNumber: '02',
        subject: `CN=${tls.serverName}`,
        issuer: root.subject,
        ...times,
        signingAlgorithm: ALGORITHM,
        publicKey: await webcrypto.subtle.importKey('spki', spki, ALGORITHM, true, ['verify']),
        signingKey: authority.privateKey,
      },
      crypto,
    );
    return { key: other.privateKeyPem, cert: `${leaf.toString('pem')}\n${root.toString('pem')}` };
  }

  describe.each(CALLS)('%s', (_name, call) => {
    it.each<[string, () => TlsOptions | Promise<TlsOptions>]>([
      ['another key in a certificate of the same name', () => own(other)],
      ['another key, signed by an authority', () => signedByAuthority()],
      [
        'another key, with the right certificate behind it',
        () => ({
          ...own(other),
          cert: `${other.certificatePem}${tls.certificatePem}`,
        }),
      ],
    ])('gives nothing to %s', async (_what, options) => {
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        const trap = await trapWith({ ...(await options()), maxVersion });
        const answer = await call(at(trap.port));
        expect(NO_ANSWER).toContain(answer.state);
        expect(answer.reason).toMatch(/another key answers there/);
        expect(trap.connections).toBe(1);
        expect(await trap.received()).toBe('');
      }
    });

    it.each(['TLSv1', 'TLSv1.1'] as const)('gives nothing to the right key by %s', async (maxVersion) => {
      const trap = await trapWith({ ...own(tls), ...OUTDATED_TLS, maxVersion });
      expect(NO_ANSWER).toContain((await call(at(trap.port))).state);
      expect(trap.connections).toBe(1);
      expect(await trap.received()).toBe('');
      // Whoever is less strict is served there.
      const lax = connect({ port: trap.port, host: '127.0.0.1', rejectUnauthorized: false, ...OUTDATED_TLS });
      await once(lax, 'secureConnect');
      expect(lax.getProtocol()).toBe(maxVersion);
      lax.destroy();
    });

    it('gives nothing to one who speaks plain HTTP', async () => {
      const trap = await trapWith(null);
      expect(NO_ANSWER).toContain((await call(at(trap.port))).state);
      const received = await trap.received();
      // The first record of a handshake, which names nothing but the server.
      expect(received.charCodeAt(0)).toBe(0x16);
      expect(received).not.toMatch(/GET|authorization|Sup3rS3cret/i);
    });

    it('gives nothing to a proxy that ends TLS, and nothing comes through it', async () => {
      const agent = await AgentServer.start(tls, {});
      stops.push(() => agent.stop());
      const sockets = new Set<Socket>();
      let passed = 0;
      const proxy = createTlsServer(own(other), (inner: TLSSocket) => {
        const outer = connect({ port: Number(new URL(agent.target.endpoint).port), rejectUnauthorized: false });
        for (const each of [inner, outer]) sockets.add(each.on('error', () => undefined));
        inner
          .on('data', (chunk: Buffer) => (passed += chunk.length))
          .pipe(outer)
          .pipe(inner);
      });
      proxy.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      stops.push(async () => {
        for (const socket of sockets) socket.destroy();
        proxy.close();
        await once(proxy, 'close');
      });
      const gone = once(proxy, 'connection').then(([socket]) => once(socket as Socket, 'close'));
      expect(NO_ANSWER).toContain((await call(at((proxy.address() as AddressInfo).port))).state);
      await gone;
      expect(passed).toBe(0);
      expect(agent.requests).toEqual([]);
    });
  });

  it('cannot have the right certificate without its key', () => {
    const options = { key: other.privateKeyPem, cert: tls.certificatePem };
    expect(() => createTlsServer(options)).toThrow(/key values mismatch/);
    expect(createPrivateKey(tls.privateKeyPem).asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is not taken for the server by a session of %s', async (maxVersion) => {
    // Both can read the same tickets; on resumption no certificate is shown.
    const shared = { ticketKeys: randomBytes(48), maxVersion };
    const genuine = await trapWith({ ...own(tls), ...shared });
    const impostor = await trapWith({ ...own(other), ...shared });
    expect(await resumed(genuine.port, impostor.port)).toBe(true);

    const [first, second] = await throughOnePort([genuine.port, impostor.port], async (port) => [
      await client.look(at(port), never),
      await client.look(at(port), never),
    ]);
    expect(first).toEqual({ state: 'answers', report: null, check: null });
    expect(second).toEqual({
      state: 'silent',
      reason: "The server's proxy does not answer yet: another key answers there",
    });
    // From the one who asked for the ticket here, to show that it is taken.
    expect(impostor.connections).toBe(2);
    expect(await impostor.received()).toBe('');
  });

  it('is not reached by a connection that was opened for another', async () => {
    const agents = await Promise.all([AgentServer.start(tls, {}), AgentServer.start(other, {})]);
    for (const agent of agents) stops.push(() => agent.stop());
    for (const { target } of [...agents, ...agents]) await client.look(target, never);
    expect(agents.map(({ connections }) => connections)).toEqual([2, 2]);
    const [first, second] = agents as [AgentServer, AgentServer];
    const crossed = { ...first.target, spkiSha256: second.target.spkiSha256 };
    expect(await client.look(crossed, never)).toMatchObject({ state: 'silent' });
    expect(first.requests).toHaveLength(2);
  });

  /** Whether a client that keeps sessions gets through with that of another server, without its key. */
  async function resumed(from: number, to: number): Promise<boolean> {
    const options = { host: '127.0.0.1', rejectUnauthorized: false };
    const first = connect({ ...options, port: from }).on('error', () => undefined);
    const session = once(first, 'session');
    await once(first, 'secureConnect');
    first.write('x');
    first.resume();
    const [ticket] = (await session) as [Buffer];
    first.destroy();
    const second = connect({ ...options, port: to, session: ticket });
    await once(second, 'secureConnect');
    const isReused = second.isSessionReused();
    second.destroy();
    return isReused;
  }

  /** One address behind which another server stands for each new connection. */
  async function throughOnePort<T>(ports: number[], work: (port: number) => Promise<T>): Promise<T> {
    const sockets = new Set<Socket>();
    const switchboard = createTcpServer((inner) => {
      const outer = connectTcp(ports.shift() ?? 0, '127.0.0.1');
      for (const each of [inner, outer]) sockets.add(each.on('error', () => undefined));
      inner.pipe(outer).pipe(inner);
    });
    switchboard.listen(0, '127.0.0.1');
    await once(switchboard, 'listening');
    try {
      return await work((switchboard.address() as AddressInfo).port);
    } finally {
      for (const socket of sockets) socket.destroy();
      switchboard.close();
      await once(switchboard, 'close');
    }
  }
});
