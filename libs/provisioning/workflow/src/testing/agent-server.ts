import type { ServerTls } from '@agent-controller/provisioning-bootstrap';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { AgentTarget } from '../agent/agent-target';

/** Status and body, or what is done with the exchange instead. */
export type Answer = { status: number; body?: string } | RequestListener;
export type Answers = Record<string, (request: IncomingMessage) => Answer>;

/** An agent-manager behind its TLS proxy: a real HTTPS server on 127.0.0.1, with answers by path. */
export class AgentServer {
  /** What arrived: path and credentials. */
  readonly requests: { path: string; authorization: string | undefined }[] = [];

  /** How many were opened, and are open. */
  connections = 0;
  open = 0;

  private constructor(
    private readonly server: Server,
    private readonly tls: ServerTls,
  ) {}

  static async start(tls: ServerTls, answers: Answers, options: { maxVersion?: 'TLSv1.2' } = {}): Promise<AgentServer> {
    const server = createServer({ key: tls.privateKeyPem, cert: tls.certificatePem, ...options });
    const agent = new AgentServer(server, tls);
    server.on('secureConnection', (socket) => {
      agent.connections += 1;
      agent.open += 1;
      socket.once('close', () => (agent.open -= 1));
    });
    server.on('request', (request, response) => {
      const path = request.url ?? '';
      agent.requests.push({ path, authorization: request.headers.authorization });
      const answer = answers[path]?.(request) ?? { status: 404 };
      if (typeof answer === 'function') answer(request, response);
      else response.writeHead(answer.status).end(answer.body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return agent;
  }

  /** Where it listens, and the key that it holds. */
  get target(): AgentTarget {
    const { port } = this.server.address() as AddressInfo;
    const { serverName, spkiSha256 } = this.tls;
    return { endpoint: `https://127.0.0.1:${port}`, serverName, spkiSha256 };
  }

  dropConnections(): void {
    this.server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}
