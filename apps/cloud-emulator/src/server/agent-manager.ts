import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Keycloak } from '../keycloak';

/** Answers as the agent-manager does, as far as anybody calls it. */
export class AgentManager {
  constructor(
    private readonly environment: Record<string, string>,
    private readonly keycloak: Keycloak,
  ) {}

  handle(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').split('?')[0];
    if (request.method === 'GET' && path === '/api/health') {
      return json(response, 200, { status: 'ok', timestamp: new Date().toISOString() });
    }
    if (!this.accepts(request.headers.authorization)) {
      return json(response, 401, { statusCode: 401, message: 'Unauthorized' });
    }
    if (request.method === 'GET' && path === '/api/config') {
      const { GIT_REPOSITORY_URL: gitRepositoryUrl } = this.environment;
      return json(response, 200, { ...(gitRepositoryUrl ? { gitRepositoryUrl } : {}), agentTypes: ['cursor'] });
    }
    json(response, 404, { statusCode: 404, message: `Cannot ${request.method} ${path}` });
  }

  private accepts(authorization: string | undefined): boolean {
    const [scheme = '', value = ''] = (authorization ?? '').split(' ');
    if (this.environment['AUTHENTICATION_METHOD'] === 'keycloak') {
      const { KEYCLOAK_REALM: realm = '', KEYCLOAK_CLIENT_ID: clientId = '' } = this.environment;
      return scheme === 'Bearer' && this.keycloak.isValid(value, { realm, clientId });
    }
    return /^(Bearer|ApiKey)$/.test(scheme) && value === this.environment['STATIC_API_KEY'];
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
