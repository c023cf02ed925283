import type { Problem } from '@agent-controller/contracts';
import { isDatabaseAway } from '@agent-controller/database';
import { AppError, ERROR_STATUS, type ErrorCode, type Logger } from '@agent-controller/kernel';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import { drainBody } from './body-limits';
import { problemSent } from './http-signals';

/** Every error leaves as RFC 9457 problem details; what we did not expect is logged, and told as nothing but an id. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.send(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  send(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const known = toAppError(error);
    if (!known)
      this.logger.error({ err: error, requestId: request.id, path: request.routeOptions.url }, 'a request failed');
    if (known?.code === 'service-unavailable' && known.options.cause) {
      this.logger.warn({ err: known.options.cause, requestId: request.id }, 'the database does not answer');
    }
    const problem = toProblem(known ?? new AppError('internal-error', INTERNAL), request.id);
    const { retryAfterSeconds, extensions } = known?.options ?? {};
    const quota = extensions?.['quota'];
    problemSent.tell({ code: problem.code as ErrorCode, quota: typeof quota === 'string' ? quota : undefined });
    if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds));
    if (typeof extensions?.['location'] === 'string') void reply.header('location', extensions['location']);
    if (problem.status === 413) drainBody(request, reply);
    void reply.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}

const INTERNAL = 'The controller met an error of its own. Its log has more under this requestId.';

const BAD_PATH = new AppError('malformed-request', 'The path of the request is not well-formed.', {
  errors: [{ field: 'path', message: 'must be percent-encoded UTF-8' }],
});

function toProblem({ code, message, options }: AppError, requestId: string): Problem {
  const status = ERROR_STATUS[code];
  return {
    type: `urn:agent-controller:problem:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail: message,
    ...(options.errors ? { errors: options.errors } : {}),
    requestId,
    ...options.extensions,
  };
}

/** Errors of Nest and Fastify in our terms; null for what nobody expected. */
function toAppError(error: unknown): AppError | null {
  if (error instanceof AppError) return error;
  const status =
    error instanceof HttpException ? error.getStatus() : (error as { statusCode?: number } | null)?.statusCode;
  if (isDatabaseAway(error)) {
    // Whether the last statement had an effect may be unknown: an Idempotency-Key tells the repeated request so.
    const detail = 'The database does not answer at present. Repeat the request a little later.';
    return new AppError('service-unavailable', detail, { retryAfterSeconds: 5, cause: error });
  }
  if ((error as { code?: string } | null)?.code === 'FST_ERR_BAD_URL') return BAD_PATH;
  const found: Partial<Record<number, [ErrorCode, string]>> = {
    400: ['malformed-body', 'The request is not well-formed: the body must be JSON.'],
    404: ['not-found', 'There is no such call. GET /api/docs lists all.'],
    413: ['payload-too-large', 'The body is too large.'],
    // An id that is longer than any of ours.
    414: ['not-found', 'There is no such call. GET /api/docs lists all.'],
    415: ['unsupported-media-type', 'Send `Content-Type: application/json`.'],
  };
  const entry = found[status ?? 0];
  return entry ? new AppError(...entry) : null;
}
