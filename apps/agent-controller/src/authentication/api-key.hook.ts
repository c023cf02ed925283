import { AppError, type AuthenticatedRequest, type Secret } from '@agent-controller/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';

/** Every call without an entry here needs the key. */
const PUBLIC_PATHS = ['/api/health', '/api/health/live', '/api/health/ready'];
/** Servers report there, and fetch their secret files, with tokens of their own. */
const SERVERS_PATH = /^\/api\/provisioning\/(callbacks|bootstrap)\/[^/]+$/;
const DOCS_PATH = '/api/docs';
/** Who the one static key stands for. */
const SUBJECT = 'static-api-key';

/** Checks the key before anything else of a request is read: `Authorization: Bearer` or `ApiKey`. */
export function apiKeyHook(key: Secret) {
  const expected = digest(key.reveal());
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const path = request.url.split('?')[0] ?? '';
    if (PUBLIC_PATHS.includes(path) || SERVERS_PATH.test(path)) return;
    const isDocs = path === DOCS_PATH || path.startsWith(`${DOCS_PATH}/`);
    const given = credential(request.headers.authorization, isDocs);
    // Digests have one length, so that the comparison tells nothing of the key's.
    if (given !== null && timingSafeEqual(digest(given), expected)) {
      (request as FastifyRequest & AuthenticatedRequest).caller = { subject: SUBJECT };
      return;
    }
    // A browser asks for user and password by itself; scripts read the first scheme.
    void reply.header(
      'www-authenticate',
      isDocs ? 'Basic realm="agent-controller"' : 'Bearer realm="agent-controller"',
    );
    throw new AppError(
      'unauthorized',
      'Send the API key as `Authorization: Bearer KEY` or `Authorization: ApiKey KEY`.',
    );
  };
}

/** @param allowsBasic the key as the password of any user, for browsers that open the documentation */
function credential(header: string | undefined, allowsBasic: boolean): string | null {
  const match = /^(Bearer|ApiKey|Basic) +(\S+) *$/i.exec(header ?? '');
  const [, scheme = '', value = ''] = match ?? [];
  if (!match) return null;
  if (scheme.toLowerCase() !== 'basic') return value;
  if (!allowsBasic) return null;
  return Buffer.from(value, 'base64').toString('utf8').split(':').slice(1).join(':');
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
