import type { CloudErrorKind } from '@agent-controller/cloud-port';

/** What came back from a request that did not end well. */
export interface HetznerFailure {
  /** `change` for POST and DELETE: without a clear answer, nobody knows whether it worked. */
  effect: 'read' | 'change';
  /** HTTP status; absent when no answer came. */
  status?: number;
  /** Hetzner's error code, or the code of the network error when no answer came. */
  code?: string;
  message?: string;
  /** The system call that failed, of a network error. */
  syscall?: string;
}

// https://docs.hetzner.cloud/#errors, and messages seen (provider-rules.md).
const KIND_BY_CODE: Record<string, CloudErrorKind> = {
  unauthorized: 'auth',
  token_readonly: 'auth',
  forbidden: 'auth',
  not_found: 'not-found',
  invalid_input: 'invalid',
  json_error: 'invalid',
  unsupported_error: 'invalid',
  protected: 'invalid',
  uniqueness_error: 'conflict',
  conflict: 'conflict',
  locked: 'conflict',
  resource_in_use: 'conflict',
  must_be_unassigned: 'conflict',
  resource_limit_exceeded: 'quota',
  primary_ip_limit: 'quota',
  resource_unavailable: 'capacity',
  placement_error: 'capacity',
  rate_limit_exceeded: 'rate-limited',
  maintenance: 'unavailable',
};

const KIND_BY_STATUS: Record<number, CloudErrorKind> = {
  401: 'auth',
  403: 'auth',
  404: 'not-found',
  409: 'conflict',
  412: 'capacity',
  423: 'conflict',
  429: 'rate-limited',
};

const NO_ROOM = /error during placement|server location disabled/i;
// A broken service may have done part of the work before it answered.
const UNCLEAR_CODES = ['service_error', 'server_error', 'timeout', 'bad_gateway', 'unavailable'];
const NEVER_SENT_SYSCALLS = ['connect', 'getaddrinfo'];
const NEVER_SENT_CODES =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_INVALID_CHAR)/;

/** The one table that says what a failed request to Hetzner Cloud means for the caller. */
export function hetznerErrorKind({ effect, status, code = '', message = '', syscall }: HetznerFailure): CloudErrorKind {
  const unclear = effect === 'change' ? 'outcome-unknown' : 'unavailable';
  if (status === undefined) {
    const neverSent = NEVER_SENT_CODES.test(code) || NEVER_SENT_SYSCALLS.includes(syscall ?? '');
    return neverSent ? 'unavailable' : unclear;
  }
  const byCode = KIND_BY_CODE[code];
  if (NO_ROOM.test(message)) return 'capacity';
  if (byCode) return byCode;
  if (status < 300 || status === 408 || status >= 500 || UNCLEAR_CODES.includes(code)) return unclear;
  if (status < 400) return 'unavailable';
  return KIND_BY_STATUS[status] ?? 'invalid';
}
