import type { FastifyInstance } from 'fastify';
import type { Keycloak } from './keycloak';

const LIFETIME_SECONDS = 300;

/** The token endpoint of an OpenID provider, for the client-credentials grant. */
export function keycloakRoutes(keycloak: Keycloak) {
  return async (app: FastifyInstance): Promise<void> => {
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    app.post<{ Params: { realm: string }; Body: Record<string, string> }>(
      '/realms/:realm/protocol/openid-connect/token',
      (request, reply) => {
        const { grant_type: grantType, ...form } = request.body ?? {};
        if (grantType !== 'client_credentials') return reply.status(400).send({ error: 'unsupported_grant_type' });
        const { clientId, secret } = clientOf(request.headers.authorization, form);
        const token = keycloak.grant({ realm: request.params.realm, clientId }, secret);
        if (!token) {
          return reply
            .status(401)
            .send({ error: 'unauthorized_client', error_description: 'Invalid client credentials' });
        }
        return { access_token: token, expires_in: LIFETIME_SECONDS, token_type: 'Bearer', scope: 'profile email' };
      },
    );
  };
}

function clientOf(
  authorization: string | undefined,
  form: Record<string, string>,
): { clientId: string; secret: string } {
  const basic = /^Basic (\S+)$/.exec(authorization ?? '')?.[1];
  if (!basic) return { clientId: form['client_id'] ?? '', secret: form['client_secret'] ?? '' };
  const [clientId = '', ...secret] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  return { clientId: decodeURIComponent(clientId), secret: decodeURIComponent(secret.join(':')) };
}
