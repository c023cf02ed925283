import { CloudError, echoCleaner, type GatedRequest } from '@agent-controller/cloud-port';
import { Secret } from '@agent-controller/kernel';
import type { AxiosResponse } from 'axios';
import type { z } from 'zod';
import { errorAnswer, errorFields } from './hetzner-answer.schemas';
import { hetznerErrorKind, type HetznerFailure } from './hetzner-failure';

export interface HetznerRequest extends GatedRequest {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  query?: Record<string, string | number | boolean | string[]>;
  body?: Record<string, unknown>;
  /** Asked when the request is really sent; false: nothing is sent any more. */
  maySend?: () => boolean;
}

const MIN_RETRY_MS = 1_000;
// `RateLimit-Reset` tells when the whole budget is back; one request is back after a second, so nobody waits that long.
const MAX_RESET_WAIT_MS = 60_000;

/** No answer came. The original is dropped: axios' errors hold the request's headers, and so the token. */
export function networkError(request: HetznerRequest, error: unknown): CloudError {
  const { code, syscall } = readNetworkError(error);
  const kind = hetznerErrorKind({ effect: effectOf(request), code, syscall });
  return new CloudError(kind, `Hetzner Cloud: no answer to ${words(request)} (${code ?? 'unknown network error'})`, {
    providerCode: code,
  });
}

/** An answer that is no success came; its body may be anything. */
export function answeredError(
  request: HetznerRequest,
  response: AxiosResponse,
  body: unknown,
  token: Secret,
): CloudError {
  const clean = cleaner(request, token);
  const { code, message } = readErrorBody(body);
  const { status } = response;
  const kind = hetznerErrorKind({ effect: effectOf(request), status, code, message });
  const said = message ? `${message}${code ? ` (${code})` : ''}` : `status ${status} without a readable error`;
  return new CloudError(kind, clean(`Hetzner Cloud: ${words(request)}: ${said}`), {
    providerCode: code && clean(code),
    requestId: requestId(response, clean),
    retryAfterMs: kind === 'rate-limited' ? retryAfterMs(response) : undefined,
  });
}

/** A success came whose body is not what was expected. */
export function unreadableError(
  request: HetznerRequest,
  response: AxiosResponse,
  error: z.ZodError,
  token: Secret,
): CloudError {
  const clean = cleaner(request, token);
  const kind = hetznerErrorKind({ effect: effectOf(request), status: response.status });
  const places = error.issues.slice(0, 3).map(({ path }) => path.join('.') || 'the whole body');
  return new CloudError(
    kind,
    clean(`Hetzner Cloud: ${words(request)}: the answer (${response.status}) cannot be read: ${places.join(', ')}`),
    { requestId: requestId(response, clean) },
  );
}

function cleaner({ body }: HetznerRequest, token: Secret): (text: string) => string {
  const userData = body?.['user_data'];
  return echoCleaner(token, typeof userData === 'string' ? userData : '');
}

function effectOf({ method }: HetznerRequest): HetznerFailure['effect'] {
  return method === 'GET' ? 'read' : 'change';
}

function words({ method, path }: HetznerRequest): string {
  return `${method} ${path}`;
}

function readNetworkError(error: unknown): { code?: string; syscall?: string } {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { syscall?: unknown } };
  return {
    // Our own time limit aborts the request.
    code: code === 'ERR_CANCELED' ? 'ETIMEDOUT' : typeof code === 'string' ? code : undefined,
    syscall: typeof cause?.syscall === 'string' ? cause.syscall : undefined,
  };
}

function readErrorBody(body: unknown): { code?: string; message?: string } {
  const answer = errorAnswer.safeParse(body);
  if (!answer.success) return {};
  const { code, message, details } = answer.data.error;
  const fields = errorFields.safeParse(details);
  const more = fields.success ? fields.data.fields.map((f) => `${f.name}: ${(f.messages ?? []).join(' ')}`) : [];
  return { code: code ?? undefined, message: [message, ...more].filter(Boolean).join('; ') || undefined };
}

function requestId({ headers }: AxiosResponse, clean: (text: string) => string): string | undefined {
  const id: unknown = headers['x-correlation-id'];
  return typeof id === 'string' ? clean(id) : undefined;
}

function retryAfterMs({ headers }: AxiosResponse): number | undefined {
  const seconds = Number(headers['retry-after'] ?? NaN);
  if (Number.isFinite(seconds)) return Math.max(MIN_RETRY_MS, seconds * 1_000);
  const reset = Number(headers['ratelimit-reset'] ?? NaN) * 1_000 - Date.now();
  return Number.isFinite(reset) ? Math.min(MAX_RESET_WAIT_MS, Math.max(MIN_RETRY_MS, reset)) : undefined;
}
