import type { AgentCredentials } from '@agent-controller/clients';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type TokenAnswer = { status: number; body: string; headers?: Record<string, string> };

/** A Keycloak on 127.0.0.1 that gives every caller the same answer. */
export class KeycloakServer {
  /** What arrived. */
  readonly asked: { url: string | undefined; body: string }[] = [];

  private constructor(
    private readonly server: Server,
    private readonly clientSecret: string,
  ) {}

  static async start(answer: TokenAnswer, clientSecret: string): Promise<KeycloakServer> {
    const server = createServer();
    const keycloak = new KeycloakServer(server, clientSecret);
    server.on('request', (request, response) => {
      void text(request).then((body) => {
        keycloak.asked.push({ url: request.url, body });
        response.writeHead(answer.status, answer.headers).end(answer.body);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return keycloak;
  }

  /** Credentials that it is asked about. */
  get credentials(): AgentCredentials {
    return {
      type: 'keycloak',
      authServerUrl: `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/auth/`,
      realm: 'my realm',
      clientId: 'agent-manager',
      clientSecret: this.clientSecret,
    };
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}
