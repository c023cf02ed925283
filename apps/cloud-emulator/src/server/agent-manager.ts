import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Keycloak } from '../keycloak';

/** `down` is nothing that answers; `refuses-credentials` refuses every key and token. */
export const AGENT_STATES = ['up', 'down', 'refuses-credentials'] as const;
export type AgentState = (typeof AGENT_STATES)[number];

/** Answers as the agent-manager does, as far as anybody calls it. */
export class AgentManager {
  constructor(
    private readonly environment: Record<string, string>,
    private readonly keycloak: Keycloak,
    private readonly state: () => AgentState = () => 'up',
  ) {}

  handle(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').split('?')[0];
    switch (`${request.method} ${path}`) {
      case 'GET /api/health':
        return json(response, 200, { status: 'ok', timestamp: new Date().toISOString() });
      case 'GET /api/config':
        return this.config(request, response);
    }
    json(response, 404, { statusCode: 404, message: `Cannot ${request.method} ${path}`, error: 'Not Found' });
  }

  private config(request: IncomingMessage, response: ServerResponse): void {
    if (!this.accepts(request.headers.authorization ?? '')) {
      return json(response, 401, { statusCode: 401, message: 'Unauthorized' });
    }
    const { GIT_REPOSITORY_URL: gitRepositoryUrl } = this.environment;
    json(response, 200, { ...(gitRepositoryUrl ? { gitRepositoryUrl } : {}), agentTypes: ['cursor'] });
  }

  private accepts(authorization: string): boolean {
    if (this.state() === 'refuses-credentials') return false;
    const [, scheme = '', value = ''] = /^(\S+) (.*)$/s.exec(authorization) ?? [];
    if (this.environment['AUTHENTICATION_METHOD'] === 'keycloak') {
      const { KEYCLOAK_REALM: realm = '', KEYCLOAK_CLIENT_ID: clientId = '' } = this.environment;
      return scheme === 'Bearer' && this.keycloak.isValid(value, { realm, clientId });
    }
    const key = this.environment['STATIC_API_KEY'];
    // Node reads headers as Latin-1, whatever bytes were sent.
    const asUtf8 = Buffer.from(value, 'latin1').toString('utf8');
    return /^(Bearer|ApiKey)$/.test(scheme) && key !== undefined && (value === key || asUtf8 === key);
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
