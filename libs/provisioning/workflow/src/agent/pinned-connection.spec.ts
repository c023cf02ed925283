import { loopbackGuard } from '@agent-controller/outbound/testing';
import { createServerTls, type ServerTls } from '@agent-controller/provisioning-bootstrap';
import { once } from 'node:events';
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { AgentServer } from '../testing/agent-server';
import { agentConnections, visitAgent } from './agent-http.client';
import type { AgentTarget } from './agent-target';

const TOKEN = 'Bearer Sup3rS3cret';
const guard = loopbackGuard();
const never = () => new AbortController().signal;

function getFromAgent(
  to: typeof guard,
  target: AgentTarget,
  path: string,
  signal: AbortSignal,
  authorization?: string,
) {
  return visitAgent(to, target, signal, (visit) => visit.get(path, authorization));
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a connection to a pinned key', () => {
  let tls: ServerTls;
  let otherTls: ServerTls;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(() => {
    const now = new Date();
    [tls, otherTls] = [createServerTls('client-1', now), createServerTls('client-1', now)];
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  async function agentWith(of: ServerTls, options: { maxVersion?: 'TLSv1.2' } = {}): Promise<AgentServer> {
    const agent = await AgentServer.start(of, { '/api/health': () => ({ status: 200, body: 'ok' }) }, options);
    stops.push(() => agent.stop());
    return agent;
  }

  function stopLater(server: Server, sockets: Set<Socket>): void {
    stops.push(async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
  }

  it('is made to the key, though the certificate is self-signed and its name is no address', async () => {
    const agent = await agentWith(tls);
    expect(await getFromAgent(guard, agent.target, '/api/health', never(), TOKEN)).toEqual({ status: 200, body: 'ok' });
    expect(agent.requests).toEqual([{ path: '/api/health', authorization: TOKEN }]);
  });

  it('is made to the key in another certificate, also one that ended', async () => {
    const agent = await agentWith(createServerTls('client-1', new Date('2020-01-01T00:00:00Z')));
    expect((await getFromAgent(guard, agent.target, '/api/health', never())).status).toBe(200);
  });

  it('is made by TLS 1.2 as well', async () => {
    const agent = await agentWith(tls, { maxVersion: 'TLSv1.2' });
    expect((await getFromAgent(guard, agent.target, '/api/health', never())).status).toBe(200);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('sends nothing to another key by %s', async (maxVersion) => {
    let received = 0;
    const sockets = new Set<Socket>();
    const options = { key: otherTls.privateKeyPem, cert: otherTls.certificatePem, maxVersion };
    const server = createTlsServer(options, (socket) => {
      sockets.add(socket);
      socket.on('data', (chunk: Buffer) => (received += chunk.length)).on('error', () => undefined);
    });
    stopLater(server, sockets);
    const closed = once(server, 'connection').then(([socket]) => once(socket as Socket, 'close'));
    const target: AgentTarget = {
      endpoint: await listen(server),
      serverName: tls.serverName,
      spkiSha256: tls.spkiSha256,
    };
    await expect(getFromAgent(guard, target, '/api/health', never(), TOKEN)).rejects.toThrow(
      'another key answers there',
    );
    await closed;
    expect(received).toBe(0);
  });

  it.each(['', 'x', 'AAAA', Buffer.alloc(32).toString('base64')])('is not made for the pin %j', async (spkiSha256) => {
    const agent = await agentWith(tls);
    await expect(getFromAgent(guard, { ...agent.target, spkiSha256 }, '/api/health', never(), TOKEN)).rejects.toThrow(
      'another key answers there',
    );
    expect(agent.requests).toEqual([]);
  });

  it('is one for all calls of a visit, and ends with it', async () => {
    const agent = await agentWith(tls);
    const open = await visitAgent(guard, agent.target, never(), async (visit) => {
      for (let call = 0; call < 3; call++) expect((await visit.get('/api/health')).status).toBe(200);
      return agent.open;
    });
    expect([agent.connections, open]).toEqual([1, 1]);
    while (agent.open > 0) await new Promise(setImmediate);
    expect(agent.requests).toHaveLength(3);
  });

  it('is made again, to the same key, when the server closes it between two calls', async () => {
    const server = await agentWith(tls);
    await visitAgent(guard, server.target, never(), async (visit) => {
      await visit.get('/api/health');
      server.dropConnections();
      expect((await visit.get('/api/health')).status).toBe(200);
      expect(server.connections).toBe(2);
    });
  });

  it('is made again when the server closes it while it is used', async () => {
    let calls = 0;
    const agent = await AgentServer.start(tls, {
      '/first': () => ({ status: 200 }),
      '/second': ({ socket }) => (++calls === 1 ? () => void socket.destroy() : { status: 200, body: 'late' }),
    });
    stops.push(() => agent.stop());
    await visitAgent(guard, agent.target, never(), async (visit) => {
      await visit.get('/first');
      expect((await visit.get('/second')).body).toBe('late');
    });
    expect(agent.requests.map(({ path }) => path)).toEqual(['/first', '/second', '/second']);
  });

  it('sends nothing to another key when it is made again, credentials least of all', async () => {
    const agent = await agentWith(tls);
    const other = await agentWith(otherTls);
    let now = agent;
    const sockets = new Set<Socket>();
    const switchboard = createTcpServer((socket) => {
      const on = connect(Number(new URL(now.target.endpoint).port), '127.0.0.1');
      for (const each of [socket, on]) sockets.add(each.on('error', () => undefined));
      socket.pipe(on).pipe(socket);
    });
    stopLater(switchboard, sockets);
    const target = { ...agent.target, endpoint: await listen(switchboard) };
    const visit = visitAgent(guard, target, never(), async (each) => {
      await each.get('/api/health');
      now = other;
      for (const socket of sockets) socket.destroy();
      return each.get('/api/health', TOKEN);
    });
    await expect(visit).rejects.toThrow('another key answers there');
    expect([agent.requests.length, other.requests]).toEqual([1, []]);
  });

  it('is made anew for every visit', async () => {
    const agent = await agentWith(tls);
    await getFromAgent(guard, agent.target, '/api/health', never());
    const wrong = { ...agent.target, spkiSha256: otherTls.spkiSha256 };
    await expect(getFromAgent(guard, wrong, '/api/health', never())).rejects.toThrow('another key');
  });

  it('is not made while too many are open', async () => {
    let answer: () => void = () => undefined;
    const agent = await AgentServer.start(tls, {
      '/slow': () => (_request, response) => void (answer = () => response.end()),
      '/quick': () => ({ status: 200 }),
    });
    stops.push(() => agent.stop());
    agentConnections.resize(1);
    stops.push(async () => agentConnections.resize(50));
    const slow = getFromAgent(guard, agent.target, '/slow', never());
    const gone = new AbortController();
    const waiting = getFromAgent(guard, agent.target, '/given-up', gone.signal);
    const next = getFromAgent(guard, agent.target, '/quick', never());
    gone.abort(new Error('The controller stops'));
    await expect(waiting).rejects.toThrow('The controller stops');
    while (agent.requests.length === 0) await new Promise(setImmediate);
    answer();
    await Promise.all([slow, next]);
    expect(agent.requests.map(({ path }) => path)).toEqual(['/slow', '/quick']);
  });

  it('fails in a word where nobody listens', async () => {
    const server = createTcpServer();
    const endpoint = await listen(server);
    server.close();
    await once(server, 'close');
    const target = { endpoint, serverName: tls.serverName, spkiSha256: tls.spkiSha256 };
    await expect(getFromAgent(guard, target, '/api/health', never(), TOKEN)).rejects.toThrow(/^ECONNREFUSED$/);
  });

  it.each(['nothing', 'noise'] as const)('is given up, and closed, with one who answers %s', async (answer) => {
    const sockets = new Set<Socket>();
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).resume();
      if (answer === 'noise') socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    stopLater(server, sockets);
    const endpoint = await listen(server);
    const gone = new AbortController();
    const closed = once(server, 'connection').then(async ([socket]) => {
      const end = once(socket as Socket, 'close');
      if (answer === 'nothing') gone.abort();
      await end;
    });
    const target = { endpoint, serverName: tls.serverName, spkiSha256: tls.spkiSha256 };
    const error: unknown = await getFromAgent(guard, target, '/api/health', gone.signal, TOKEN).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(
      answer === 'nothing' ? /^no answer within 5 s$/ : /^(EPROTO|ERR_SSL_\w+)$/,
    );
    await closed;
  });

  it('reads no answer without end', async () => {
    const agent = await AgentServer.start(tls, {
      '/endless': () => (_request, response) => {
        response.on('error', () => undefined);
        const more = () => {
          while (!response.destroyed && response.write('x'.repeat(16_384)));
        };
        response.on('drain', more);
        more();
      },
    });
    stops.push(() => agent.stop());
    await expect(getFromAgent(guard, agent.target, '/endless', never())).rejects.toThrow('the answer is too long');
  });

  it('does not wait for the end of an answer that has none', async () => {
    const gone = new AbortController();
    const agent = await AgentServer.start(tls, {
      '/slow': () => (_request, response) => void response.write('x', () => gone.abort()),
    });
    stops.push(() => agent.stop());
    await expect(getFromAgent(guard, agent.target, '/slow', gone.signal)).rejects.toThrow(
      /ECONNRESET|no answer within 5 s/,
    );
  });

  it('says so when the answer breaks off', async () => {
    const agent = await AgentServer.start(tls, {
      '/half': () => (_request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half', () => response.destroy());
      },
    });
    stops.push(() => agent.stop());
    await expect(getFromAgent(guard, agent.target, '/half', never())).rejects.toThrow(/ECONNRESET|aborted/);
  });
});
