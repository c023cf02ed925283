import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDocumentation } from './documentation';

// Answers are data, also when a browser is made to open one as a page.
const NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
// Swagger's page has an inline script and inline styles, and calls the API.
const DOCS =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const ALWAYS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  // Does not concern cross-origin calls that CORS allows.
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  // Browsers heed it only where the answer came by TLS.
  'strict-transport-security': 'max-age=31536000',
  // Answers may hold an API key or user data.
  'cache-control': 'no-store',
};

/** Of every answer but the documentation's pages. */
export const ANSWER = { ...ALWAYS, 'content-security-policy': NOTHING };
const PAGE = { ...ALWAYS, 'content-security-policy': DOCS };

/** Headers that keep browsers from doing more with an answer than it is for. */
export function securityHeaders(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  setSecurityHeaders(request, reply);
  done();
}

/** The same where no hook runs. */
export function setSecurityHeaders(request: FastifyRequest, reply: FastifyReply): void {
  void reply.headers(isDocumentation(request.url) ? PAGE : ANSWER);
}
