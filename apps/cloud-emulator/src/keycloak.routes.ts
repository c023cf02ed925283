import type { FastifyInstance } from 'fastify';
import { TOKEN_LIFETIME, type Keycloak } from './keycloak';

interface ClientCredentials {
  clientId: string;
  secret: string;
}

/** An OpenID provider's endpoints for the client-credentials grant, and for asking about tokens (RFC 7662). */
export function keycloakRoutes(keycloak: Keycloak) {
  return async (app: FastifyInstance): Promise<void> => {
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    app.post<{ Params: { realm: string }; Body?: Record<string, string> }>(
      '/realms/:realm/protocol/openid-connect/token',
      (request, reply) => {
        const { grant_type: grantType, ...form } = request.body ?? {};
        void reply.header('cache-control', 'no-store');
        if (grantType === undefined) {
          return reply
            .status(400)
            .send({ error: 'invalid_request', error_description: 'Missing form parameter: grant_type' });
        }
        if (grantType !== 'client_credentials') {
          return reply
            .status(400)
            .send({ error: 'unsupported_grant_type', error_description: 'Unsupported grant_type' });
        }
        const client = clientOf(request.headers.authorization, form);
        const token =
          client && keycloak.grant({ realm: request.params.realm, clientId: client.clientId }, client.secret);
        if (!token) {
          return reply
            .status(401)
            .send({ error: 'invalid_client', error_description: 'Invalid client or Invalid client credentials' });
        }
        return { access_token: token, expires_in: TOKEN_LIFETIME, token_type: 'Bearer', scope: 'profile email' };
      },
    );
    app.post<{ Params: { realm: string }; Body?: Record<string, string> }>(
      '/realms/:realm/protocol/openid-connect/token/introspect',
      (request, reply) => {
        const { token = '', ...form } = request.body ?? {};
        const client = clientOf(request.headers.authorization, form);
        const grant = client && { realm: request.params.realm, clientId: client.clientId };
        if (!grant || !keycloak.knows(grant, client.secret)) {
          return reply.status(401).send({ error: 'invalid_request', error_description: 'Authentication failed.' });
        }
        return keycloak.isValid(token, grant) ? { active: true, client_id: grant.clientId } : { active: false };
      },
    );
  };
}

/** From the `Basic` header, whose two parts are form-encoded, or from the form; null when something is missing. */
function clientOf(authorization = '', form: Record<string, string>): ClientCredentials | null {
  const basic = /^Basic (\S+)$/i.exec(authorization)?.[1];
  const { client_id: clientId, client_secret: secret } = basic === undefined ? form : fromBasic(basic);
  return clientId && secret ? { clientId, secret } : null;
}

function fromBasic(basic: string): Record<string, string> {
  const [clientId = '', ...secret] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  return { client_id: formDecoded(clientId), client_secret: formDecoded(secret.join(':')) };
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
