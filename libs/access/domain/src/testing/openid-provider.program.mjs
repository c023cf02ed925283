// A real OpenID provider (npm oidc-provider) as a process of its own, for tests: it can be stopped, killed and frozen.
// Its one argument is JSON: { port, keys: private JWKs, audience, clients: { id: further claims of its tokens } }.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { port, keys, audience, clients } = JSON.parse(process.argv[2]);
const SECRET = 'the-secret-of-every-client';
const REDIRECT = 'https://frontend.example.com/callback';

const server = createServer((request, response) => handle(request, response));
server.listen(port, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  jwks: { keys },
  clients: Object.keys(clients).map((id) => ({
    client_id: id,
    client_secret: SECRET,
    grant_types: ['client_credentials', 'authorization_code'],
    redirect_uris: [REDIRECT],
    id_token_signed_response_alg: keys[0].alg,
  })),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => ({
        scope: 'api',
        audience: resource === 'urn:default' ? audience : resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 300,
        jwt: { sign: { alg: keys[0].alg } },
      }),
    },
  },
  extraTokenClaims: (_context, token) => clients[token.clientId],
  findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  interactions: { url: (_context, { uid }) => `/login/${uid}` },
  cookies: { keys: ['only for tests'] },
});
// Who logs in is alice, and she agrees to everything.
const grants = [];
const callback = provider.callback();
const handle = async (request, response) => {
  if (request.url.startsWith('/login/')) return login(request, response);
  if (request.url === '/test/log-in') return answer(response, { token: await logIn() });
  if (request.url === '/test/end-sessions') {
    for (const grantId of grants) await (await provider.Grant.find(grantId))?.destroy();
    return answer(response, { ended: grants.length });
  }
  return callback(request, response);
};

async function login(request, response) {
  const { prompt, params } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: 'alice' } });
  }
  const grant = new provider.Grant({ accountId: 'alice', clientId: params.client_id });
  grant.addOIDCScope('openid');
  grant.addResourceScope('urn:default', 'api');
  const grantId = await grant.save();
  grants.push(grantId);
  return provider.interactionFinished(request, response, { consent: { grantId } }, { mergeWithLastSubmission: true });
}

/** The authorization code flow, as a browser goes through it. @returns alice's access token */
async function logIn() {
  const [client] = Object.keys(clients);
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    ...{
      client_id: client,
      response_type: 'code',
      redirect_uri: REDIRECT,
      scope: 'openid api',
      resource: 'urn:default',
    },
    ...{ code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' },
  });
  const cookies = new Map();
  let url = `${issuer}/auth?${query}`;
  while (!url.startsWith(REDIRECT)) {
    const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
    const response = await fetch(url, { redirect: 'manual', headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (!location) throw new Error(`No redirect from ${url}: ${response.status} ${await response.text()}`);
    url = new URL(location, issuer).href;
  }
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${SECRET}`).toString('base64')}` },
    body: new URLSearchParams({
      ...{ grant_type: 'authorization_code', code: new URL(url).searchParams.get('code'), redirect_uri: REDIRECT },
      ...{ code_verifier: verifier, resource: 'urn:default' },
    }),
  });
  const body = await response.json();
  if (!body.access_token) throw new Error(JSON.stringify(body));
  return body.access_token;
}

function answer(response, body) {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

console.log(`listening ${issuer}`);
// It must not outlive the tests, however they end.
process.stdin.resume().on('end', () => process.exit(0));
