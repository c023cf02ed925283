import { AppError } from '@agent-controller/kernel';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { jsonProblem } from './json-text';

/** Nothing is guessed: what is no UTF-8 would otherwise arrive with other characters than were sent. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * JSON bodies in UTF-8, without names that are given twice; none at all is fine as well, since clients send the content
 * type with a DELETE too.
 */
export function acceptJson(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeContentTypeParser(['application/json', 'text/plain']);
  fastify.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      const text = read(request, body);
      if (text === '') done(null, undefined);
      else void parse(request, text, done);
    } catch (error) {
      done(error as Error);
    }
  });
}

/** @throws AppError `unsupported-media-type`, `malformed-body` */
function read({ headers }: FastifyRequest, body: Buffer): string {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new AppError('unsupported-media-type', 'JSON is sent in UTF-8: leave `charset` out.');
  if (!/^(identity)?$/i.test(headers['content-encoding'] ?? ''))
    throw new AppError('unsupported-media-type', 'Bodies are not compressed here: leave `Content-Encoding` out.');
  const text = decode(body);
  const problem = jsonProblem(text);
  if (!problem) return text;
  const detail = `The request is not well-formed: ${problem.field} ${problem.message}.`;
  throw new AppError('malformed-body', detail, { errors: [problem] });
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw new AppError('malformed-body', 'The request is not well-formed: the body must be JSON in UTF-8.');
  }
}
