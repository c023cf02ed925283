// Stands in for the agent-manager in the boot lab: small, but with its demands. Runs as uid 10001.
'use strict';
const { createHash, timingSafeEqual } = require('node:crypto');
const http = require('node:http');
const https = require('node:https');
const { Client } = require('pg');

const env = process.env;
if (!env.JWT_SECRET || Buffer.from(env.ENCRYPTION_KEY ?? '', 'base64').length !== 32) {
  console.error('JWT_SECRET or ENCRYPTION_KEY is missing');
  process.exit(1);
}

async function main() {
  const database = new Client({
    host: env.DB_HOST,
    port: Number(env.DB_PORT),
    user: env.DB_USERNAME,
    password: env.DB_PASSWORD,
    database: env.DB_DATABASE,
  });
  await database.connect();
  await database.query('CREATE TABLE IF NOT EXISTS starts (at timestamptz NOT NULL DEFAULT now())');
  await database.query('INSERT INTO starts DEFAULT VALUES');
  if ((await ping()) !== 200) throw new Error("Docker's socket does not answer");
  http.createServer((request, response) => void answer(database, request, response)).listen(Number(env.PORT));
  http
    .createServer((_request, response) => response.end('0{"sid":"lab","upgrades":[]}'))
    .listen(Number(env.WEBSOCKET_PORT));
  console.log('agent-manager stand-in listens');
}

async function answer(database, request, response) {
  const path = request.url.split('?')[0];
  const send = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (path === '/api/health') return send(200, { status: 'ok', timestamp: new Date().toISOString() });
  if (!(await accepts(request.headers.authorization))) return send(401, { message: 'Unauthorized' });
  if (path === '/api/config')
    return send(200, { gitRepositoryUrl: env.GIT_REPOSITORY_URL ?? null, agentTypes: ['cursor'] });
  // In the lab only: what arrived, byte for byte, and who runs it.
  if (path === '/api/lab') {
    const { rows } = await database.query('SELECT count(*)::int AS starts FROM starts');
    return send(200, { environment: env, uid: process.getuid(), groups: process.getgroups(), starts: rows[0].starts });
  }
  send(404, { message: 'Not found' });
}

async function accepts(header) {
  const [, value] = /^(?:Bearer|ApiKey) (.+)$/.exec(header ?? '') ?? [];
  if (value === undefined) return false;
  if (env.AUTHENTICATION_METHOD === 'keycloak') return isActive(value).catch(() => false);
  if (env.AUTHENTICATION_METHOD !== 'api-key') return false;
  const digest = (text) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(value), digest(env.STATIC_API_KEY));
}

/**
 * Asks Keycloak about a token (RFC 7662). In the lab only: containers do not know its names nor its certificate authority,
 * so the address is fixed, and only the path of KEYCLOAK_AUTH_SERVER_URL counts.
 */
async function isActive(token) {
  const { KEYCLOAK_AUTH_SERVER_URL, KEYCLOAK_REALM, KEYCLOAK_CLIENT_ID, KEYCLOAK_CLIENT_SECRET } = env;
  const path = `${new URL(KEYCLOAK_AUTH_SERVER_URL).pathname}/realms/${KEYCLOAK_REALM}/protocol/openid-connect/token/introspect`;
  const form = new URLSearchParams({ token, client_id: KEYCLOAK_CLIENT_ID, client_secret: KEYCLOAK_CLIENT_SECRET });
  const answer = await post({ host: '169.254.2.10', path, servername: 'keycloak.lab.example' }, form.toString());
  return JSON.parse(answer).active === true;
}

function post(target, body) {
  return new Promise((resolve, reject) => {
    const headers = { host: target.servername, 'content-type': 'application/x-www-form-urlencoded' };
    https
      .request({ ...target, method: 'POST', headers, rejectUnauthorized: false, timeout: 10_000 }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk)).on('end', () => resolve(text));
      })
      .on('timeout', function () {
        this.destroy(new Error('Keycloak does not answer'));
      })
      .on('error', reject)
      .end(body);
  });
}

function ping() {
  return new Promise((resolve, reject) => {
    http
      .get({ socketPath: '/var/run/docker.sock', path: '/_ping' }, (response) => resolve(response.statusCode))
      .on('error', reject);
  });
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
