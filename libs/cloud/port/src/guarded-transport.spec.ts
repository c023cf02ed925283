import { createServerTls } from '@agent-controller/provisioning-bootstrap';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { guardedTransport } from './guarded-transport';

describe('guardedTransport', () => {
  const arrived: string[] = [];
  let servers: Record<'http' | 'https', http.Server>;
  let ca: string;

  beforeAll(async () => {
    const tls = await createServerTls('client-1', new Date());
    ca = tls.certificatePem;
    const take: http.RequestListener = (request, response) => {
      arrived.push(`${request.method} ${request.url}`);
      response.end('done');
    };
    const secure = https.createServer({ key: tls.privateKeyPem, cert: tls.certificatePem }, take);
    servers = { http: http.createServer(take), https: secure };
    for (const server of Object.values(servers)) await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterAll(async () => {
    for (const server of Object.values(servers)) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  });
  beforeEach(() => void arrived.splice(0));

  /** Sends an order as axios does. @returns status, or the error's code */
  function send(protocol: 'http' | 'https', agent: http.Agent, maySend: () => boolean): Promise<unknown> {
    const { port } = servers[protocol].address() as AddressInfo;
    const options = { protocol: `${protocol}:`, host: '127.0.0.1', port, method: 'POST', path: '/servers', agent };
    const own = protocol === 'https' ? { ca, servername: 'client-1.agent.internal' } : {};
    return new Promise((resolve) => {
      const request = guardedTransport(maySend).request({ ...options, ...own } as http.RequestOptions, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      });
      request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      request.end('{"name":"server"}');
    });
  }

  const agentOf = (protocol: 'http' | 'https') => new (protocol === 'https' ? https : http).Agent({ keepAlive: true });

  describe.each(['http', 'https'] as const)('by %s', (protocol) => {
    it('sends what may be sent, by new connections and by one that stands', async () => {
      const agent = agentOf(protocol);
      expect(await send(protocol, agent, () => true)).toBe(200);
      expect(await send(protocol, agent, () => true)).toBe(200);
      expect(arrived).toHaveLength(2);
      agent.destroy();
    });

    it('sends nothing when it is too late from the beginning, also by a connection that stands', async () => {
      const agent = agentOf(protocol);
      expect(await send(protocol, agent, () => false)).toBe('ETOOLATE');
      expect(await send(protocol, agent, () => true)).toBe(200);
      expect(await send(protocol, agent, () => false)).toBe('ETOOLATE');
      expect(arrived).toHaveLength(1);
      agent.destroy();
    });

    it('sends nothing when it becomes too late while it connects', async () => {
      const agent = agentOf(protocol);
      // As for a process that is frozen meanwhile: true when it begins, and false at each later moment in turn.
      for (let moments = 1; moments <= (protocol === 'https' ? 2 : 1); moments++) {
        let asked = 0;
        expect(await send(protocol, agent, () => ++asked <= moments)).toBe('ETOOLATE');
        expect(asked).toBeGreaterThan(moments);
      }
      // Whatever had been sent would have arrived before this.
      expect(await send(protocol, agent, () => true)).toBe(200);
      expect(arrived).toHaveLength(1);
      agent.destroy();
    });
  });
});
