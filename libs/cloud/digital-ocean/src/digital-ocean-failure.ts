import type { CloudErrorKind } from '@agent-controller/cloud-port';

/** What came back from a request that did not end well. */
export interface DigitalOceanFailure {
  /** `change` for POST and DELETE: without a clear answer, nobody knows whether it worked. */
  effect: 'read' | 'change';
  /** HTTP status; absent when no answer came. */
  status?: number;
  /** DigitalOcean's error id, or the code of the network error when no answer came. */
  code?: string;
  message?: string;
  /** The system call that failed, of a network error. */
  syscall?: string;
}

// Messages seen with 422 (provider-rules.md): the id is `unprocessable_entity` for all of them.
const KIND_BY_MESSAGE: [RegExp, CloudErrorKind][] = [
  [/pending event/i, 'conflict'],
  [/already in use|duplicate name/i, 'conflict'],
  [/exceed.*\blimit\b|\blimit\b.*(reached|exceeded)/i, 'quota'],
  [/(region|size) is (not available|unavailable|currently unavailable)|out of capacity/i, 'capacity'],
];

const KIND_BY_CODE: Record<string, CloudErrorKind> = {
  unauthorized: 'auth',
  forbidden: 'auth',
  not_found: 'not-found',
  too_many_requests: 'rate-limited',
};

const KIND_BY_STATUS: Record<number, CloudErrorKind> = {
  401: 'auth',
  403: 'auth',
  404: 'not-found',
  409: 'conflict',
  412: 'conflict',
  423: 'conflict',
  429: 'rate-limited',
};

const NEVER_SENT_SYSCALLS = ['connect', 'getaddrinfo'];
const NEVER_SENT_CODES =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_INVALID_CHAR)/;

/** The one table that says what a failed request to DigitalOcean means for the caller. */
export function digitalOceanErrorKind(failure: DigitalOceanFailure): CloudErrorKind {
  const { effect, status, code = '', message = '', syscall } = failure;
  const unclear = effect === 'change' ? 'outcome-unknown' : 'unavailable';
  if (status === undefined) {
    const neverSent = NEVER_SENT_CODES.test(code) || NEVER_SENT_SYSCALLS.includes(syscall ?? '');
    return neverSent ? 'unavailable' : unclear;
  }
  if (status < 300 || status === 408 || status >= 500) return unclear;
  if (status < 400) return 'unavailable';
  const byCode = KIND_BY_CODE[code] ?? KIND_BY_STATUS[status];
  if (byCode) return byCode;
  return KIND_BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1] ?? 'invalid';
}
