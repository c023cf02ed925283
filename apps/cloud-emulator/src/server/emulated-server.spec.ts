import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { once } from 'node:events';
import { Keycloak } from '../keycloak';
import { callServer, until } from '../server-call.fixture';
import { DEFAULT_SETTINGS } from '../settings';
import { createKeyPair, userData, type KeyPair } from '../user-data.fixture';
import { AddressPool } from './address-pool';
import { EmulatedServer } from './emulated-server';
import type { ServerOrder } from './machine';

const SPEED = { ...DEFAULT_SETTINGS, bootMs: 1, installMs: 1, startMs: 1 };

describe('EmulatedServer', () => {
  const pool = new AddressPool();
  const servers: EmulatedServer[] = [];
  let pair: KeyPair;

  beforeAll(async () => {
    pair = await createKeyPair();
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      await server.stop();
      pool.release(server.order.address);
    }
  });

  function create(order: Partial<ServerOrder> = {}): { server: EmulatedServer; log: string[] } {
    const log: string[] = [];
    const all = { userData: userData(pair), acceptsBase64: true, address: pool.take(), bootFails: false, ...order };
    const server = new EmulatedServer(all, new Keycloak(), (message) => log.push(message));
    servers.push(server);
    return { server, log };
  }
  const settled = (server: EmulatedServer) =>
    until(
      async () => server,
      ({ stage, problem }) => stage === 'agent' || problem !== null,
    );

  it('writes its files below a root of its own with their modes, and takes all away at its end', async () => {
    const { server, log } = create();
    server.start(SPEED);
    await settled(server);
    const root = server.root ?? '';
    const mode = (path: string) => statSync(join(root, path)).mode & 0o7777;
    expect(mode('/srv/agent/agent.env')).toBe(0o600);
    expect(mode('/srv/agent/Caddyfile')).toBe(0o644);
    expect(mode('/srv/agent/tls/key.pem')).toBe(0o400);
    expect(readFileSync(join(root, '/srv/agent/tls/key.pem'), 'utf8')).toBe(pair.key);
    const { address } = server.order;
    expect(server.endpoints).toEqual({ 3000: `${address}:3000`, 8443: `${address}:8443` });
    expect(log).toEqual([
      'runs',
      `the proxy answers at ${address}:3000 and ${address}:8443`,
      'the agent-manager is healthy',
    ]);

    await server.stop();
    await server.stop();
    expect(existsSync(root)).toBe(false);
    const call = callServer({ address, certificate: pair.certificate }, '/api/health');
    await expect(call).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('leaves nothing behind when it ends while it installs', async () => {
    const { server } = create();
    server.start({ ...SPEED, bootMs: 0, installMs: 0 });
    while (server.root === null) await setImmediate();
    const { root } = server;
    expect(server.stage).toBe('install');
    await server.stop();
    expect(existsSync(root)).toBe(false);
    expect(server.endpoints).toEqual({});
  });

  it('that fails to boot runs, and nothing answers', async () => {
    const { server } = create({ bootFails: true });
    server.start(SPEED);
    await settled(server);
    expect(server).toMatchObject({ life: 'running', problem: expect.stringContaining('boot failed'), root: null });
  });

  it('never answers when certificate and key are no pair', async () => {
    const { key } = await createKeyPair();
    const { server } = create({ userData: userData({ certificate: pair.certificate, key }) });
    server.start(SPEED);
    await settled(server);
    expect(server.problem).toContain('key values mismatch');
    expect(server.endpoints).toEqual({});
  });

  it('tells when its port is taken', async () => {
    const { server } = create();
    const other = createServer().listen(8443, server.order.address);
    await once(other, 'listening');
    server.start(SPEED);
    await settled(server);
    expect(server.problem).toContain('EADDRINUSE');
    expect(server.endpoints).toEqual({});
    other.close();
  });

  it('has ports of 127.0.0.1 where the system has no address of its own for it', async () => {
    // An address for documentation: no machine has it.
    const { server, log } = create({ address: '192.0.2.1' });
    server.start(SPEED);
    await settled(server);
    expect(server.problem).toBeNull();
    const [host = '', port] = (server.endpoints[3000] ?? '').split(':');
    expect(host).toBe('127.0.0.1');
    expect(log.join('\n')).toContain(`this system has no 192.0.2.1: 3000 is at 127.0.0.1:${port}`);
    const answer = await callServer(
      { address: host, port: Number(port), certificate: pair.certificate },
      '/api/health',
    );
    expect(answer.status).toBe(200);
  });
});
