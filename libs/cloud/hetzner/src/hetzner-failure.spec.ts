import type { CloudErrorKind } from '@agent-controller/cloud-port';
import { hetznerErrorKind, type HetznerFailure } from './hetzner-failure';

type Row = [Omit<HetznerFailure, 'effect'>, read: CloudErrorKind, change: CloudErrorKind];

const ROWS: Row[] = [
  [{ status: 400, code: 'json_error' }, 'invalid', 'invalid'],
  [{ status: 401, code: 'unauthorized' }, 'auth', 'auth'],
  [{ status: 401 }, 'auth', 'auth'],
  [{ status: 403, code: 'token_readonly' }, 'auth', 'auth'],
  [{ status: 403, code: 'forbidden' }, 'auth', 'auth'],
  [{ status: 403, code: 'maintenance' }, 'unavailable', 'unavailable'],
  [{ status: 403, code: 'resource_limit_exceeded', message: 'server limit exceeded' }, 'quota', 'quota'],
  [{ status: 403, code: 'primary_ip_limit' }, 'quota', 'quota'],
  [{ status: 404, code: 'not_found' }, 'not-found', 'not-found'],
  [{ status: 405, code: 'method_not_allowed' }, 'invalid', 'invalid'],
  [{ status: 409, code: 'uniqueness_error', message: 'server name is already used' }, 'conflict', 'conflict'],
  [{ status: 409, code: 'conflict' }, 'conflict', 'conflict'],
  [{ status: 409 }, 'conflict', 'conflict'],
  [{ status: 410, code: 'deprecated_api_endpoint' }, 'invalid', 'invalid'],
  [{ status: 412, code: 'resource_unavailable', message: 'error during placement' }, 'capacity', 'capacity'],
  [{ status: 422, code: 'invalid_input', message: 'error during placement' }, 'capacity', 'capacity'],
  [{ status: 422, code: 'invalid_input', message: 'server location disabled' }, 'capacity', 'capacity'],
  [{ status: 422, code: 'invalid_input', message: 'unsupported location for server type' }, 'invalid', 'invalid'],
  [{ status: 503, code: 'placement_error' }, 'capacity', 'capacity'],
  [{ status: 422, code: 'unsupported_error' }, 'invalid', 'invalid'],
  [{ status: 422, code: 'resource_in_use' }, 'conflict', 'conflict'],
  [{ status: 422, code: 'service_error' }, 'unavailable', 'outcome-unknown'],
  [{ status: 423, code: 'locked' }, 'conflict', 'conflict'],
  [{ status: 423, code: 'protected' }, 'invalid', 'invalid'],
  [{ status: 422, code: 'must_be_unassigned' }, 'conflict', 'conflict'],
  [{ status: 429, code: 'rate_limit_exceeded' }, 'rate-limited', 'rate-limited'],
  [{ status: 429 }, 'rate-limited', 'rate-limited'],
  [{ status: 500, code: 'server_error' }, 'unavailable', 'outcome-unknown'],
  [{ status: 500 }, 'unavailable', 'outcome-unknown'],
  [{ status: 502, code: 'bad_gateway' }, 'unavailable', 'outcome-unknown'],
  [{ status: 502 }, 'unavailable', 'outcome-unknown'],
  [{ status: 503, code: 'unavailable' }, 'unavailable', 'outcome-unknown'],
  [{ status: 504, code: 'timeout' }, 'unavailable', 'outcome-unknown'],
  [{ status: 408 }, 'unavailable', 'outcome-unknown'],
  // A success that cannot be read, and a redirect that is not followed.
  [{ status: 201 }, 'unavailable', 'outcome-unknown'],
  [{ status: 302 }, 'unavailable', 'unavailable'],
  // No answer at all.
  [{ code: 'ECONNREFUSED' }, 'unavailable', 'unavailable'],
  [{ code: 'ENOTFOUND' }, 'unavailable', 'unavailable'],
  [{ code: 'EAI_AGAIN', syscall: 'getaddrinfo' }, 'unavailable', 'unavailable'],
  [{ code: 'ETIMEDOUT', syscall: 'connect' }, 'unavailable', 'unavailable'],
  [{ code: 'CERT_HAS_EXPIRED' }, 'unavailable', 'unavailable'],
  [{ code: 'ECONNABORTED' }, 'unavailable', 'outcome-unknown'],
  [{ code: 'ETIMEDOUT' }, 'unavailable', 'outcome-unknown'],
  [{ code: 'ECONNRESET', syscall: 'read' }, 'unavailable', 'outcome-unknown'],
  [{}, 'unavailable', 'outcome-unknown'],
];

describe('hetznerErrorKind', () => {
  it.each(ROWS)('%j: read → %s, change → %s', (failure, read, change) => {
    expect(hetznerErrorKind({ ...failure, effect: 'read' })).toBe(read);
    expect(hetznerErrorKind({ ...failure, effect: 'change' })).toBe(change);
  });
});
