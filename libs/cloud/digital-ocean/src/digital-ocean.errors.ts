import { CloudError, echoCleaner, type GatedRequest, type RequestOutcome } from '@agent-controller/cloud-port';
import { Secret } from '@agent-controller/kernel';
import type { z } from 'zod';
import { errorAnswer } from './digital-ocean-answer.schemas';
import { digitalOceanErrorKind, type DigitalOceanFailure } from './digital-ocean-failure';

/** One call of dots-wrapper, in words for errors. */
export interface DigitalOceanCall extends GatedRequest {
  effect: DigitalOceanFailure['effect'];
  /** Such as `GET /droplets/1`. */
  name: string;
  /** Asked when the request is really sent; false: nothing is sent any more. */
  maySend?: () => boolean;
  /** What was sent of it: an answer may echo it. */
  userData?: string;
}

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  data: unknown;
}

const MIN_RETRY_MS = 1_000;
/** The window of the rate limit slides over an hour. */
const MAX_RETRY_MS = 3_600_000;

/** What came back with what dots-wrapper threw; null when nothing did. */
export function answerOf(error: unknown): RequestOutcome | null {
  const { response } = (error ?? {}) as { response?: Answer };
  return response ? { status: response.status, headers: { ...response.headers } } : null;
}

/**
 * What dots-wrapper threw, as a CloudError. The original is dropped: it is axios' own error, which prints the token.
 */
export function callError(call: DigitalOceanCall, error: unknown, token: Secret): CloudError {
  const { response, code, cause } = (error ?? {}) as { response?: Answer; code?: unknown; cause?: unknown };
  if (response) return answeredError(call, response, token);
  // Our own time limit aborts the request.
  const networkCode = code === 'ERR_CANCELED' ? 'ETIMEDOUT' : typeof code === 'string' ? code : undefined;
  const { syscall } = (cause ?? {}) as { syscall?: unknown };
  const kind = digitalOceanErrorKind({
    effect: call.effect,
    code: networkCode,
    syscall: typeof syscall === 'string' ? syscall : undefined,
  });
  return new CloudError(kind, `DigitalOcean: no answer to ${call.name} (${networkCode ?? 'unknown network error'})`, {
    providerCode: networkCode,
  });
}

/** A success came whose body is not what was expected. */
export function unreadableError(
  call: DigitalOceanCall,
  answer: Pick<Answer, 'status' | 'headers'>,
  error: z.ZodError,
  token: Secret,
): CloudError {
  const clean = echoCleaner(token, call.userData);
  const kind = digitalOceanErrorKind({ effect: call.effect, status: answer.status });
  const places = error.issues.slice(0, 3).map(({ path }) => path.join('.') || 'the whole body');
  return new CloudError(
    kind,
    clean(`DigitalOcean: ${call.name}: the answer (${answer.status}) cannot be read: ${places.join(', ')}`),
    { requestId: requestId(answer.headers, undefined, clean) },
  );
}

function answeredError(call: DigitalOceanCall, { status, headers, data }: Answer, token: Secret): CloudError {
  const clean = echoCleaner(token, call.userData);
  const body = errorAnswer.safeParse(data).data;
  const code = body?.id ?? undefined;
  const message = body?.message ?? undefined;
  const kind = digitalOceanErrorKind({ effect: call.effect, status, code, message });
  const said = message ? `${message}${code ? ` (${code})` : ''}` : `status ${status} without a readable error`;
  return new CloudError(kind, clean(`DigitalOcean: ${call.name}: ${said}`), {
    providerCode: code && clean(code),
    requestId: requestId(headers, body?.request_id, clean),
    retryAfterMs: kind === 'rate-limited' ? retryAfterMs(headers) : undefined,
  });
}

function requestId(headers: Answer['headers'], inBody: string | null | undefined, clean: (text: string) => string) {
  const id = inBody ?? headers['x-request-id'];
  return typeof id === 'string' ? clean(id) : undefined;
}

/** `retry-after` comes with the limit per minute; `ratelimit-reset` tells when the next request is free. */
function retryAfterMs(headers: Answer['headers']): number | undefined {
  const seconds = Number(headers['retry-after'] ?? NaN);
  const wait = Number.isFinite(seconds)
    ? seconds * 1_000
    : Number(headers['ratelimit-reset'] ?? NaN) * 1_000 - Date.now();
  return Number.isFinite(wait) ? Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, wait)) : undefined;
}
