import type { CloudErrorKind } from '@agent-controller/cloud-port';
import { digitalOceanErrorKind, type DigitalOceanFailure } from './digital-ocean-failure';

type Row = [Omit<DigitalOceanFailure, 'effect'>, read: CloudErrorKind, change: CloudErrorKind];

const refused = (message: string) => ({ status: 422, code: 'unprocessable_entity', message });

const ROWS: Row[] = [
  [{ status: 400, code: 'bad_request' }, 'invalid', 'invalid'],
  [{ status: 401, code: 'unauthorized' }, 'auth', 'auth'],
  [{ status: 401 }, 'auth', 'auth'],
  [{ status: 403, code: 'forbidden' }, 'auth', 'auth'],
  [{ status: 404, code: 'not_found' }, 'not-found', 'not-found'],
  [{ status: 409 }, 'conflict', 'conflict'],
  [{ status: 423 }, 'conflict', 'conflict'],
  [refused('creating this/these droplet(s) will exceed your droplet limit'), 'quota', 'quota'],
  [refused('Region is not available'), 'capacity', 'capacity'],
  [refused('Size is not available in this region.'), 'capacity', 'capacity'],
  [refused('Droplet already has a pending event.'), 'conflict', 'conflict'],
  [refused('SSH Key is already in use on your account'), 'conflict', 'conflict'],
  [refused('Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)'), 'invalid', 'invalid'],
  [{ status: 422 }, 'invalid', 'invalid'],
  [{ status: 429, code: 'too_many_requests', message: 'API Rate limit exceeded.' }, 'rate-limited', 'rate-limited'],
  [{ status: 429 }, 'rate-limited', 'rate-limited'],
  [{ status: 500, code: 'server_error' }, 'unavailable', 'outcome-unknown'],
  [{ status: 500 }, 'unavailable', 'outcome-unknown'],
  [{ status: 502 }, 'unavailable', 'outcome-unknown'],
  [{ status: 503 }, 'unavailable', 'outcome-unknown'],
  [{ status: 504 }, 'unavailable', 'outcome-unknown'],
  [{ status: 408 }, 'unavailable', 'outcome-unknown'],
  // A success that cannot be read, and a redirect that is not followed.
  [{ status: 202 }, 'unavailable', 'outcome-unknown'],
  [{ status: 304 }, 'unavailable', 'unavailable'],
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

describe('digitalOceanErrorKind', () => {
  it.each(ROWS)('%j: read → %s, change → %s', (failure, read, change) => {
    expect(digitalOceanErrorKind({ ...failure, effect: 'read' })).toBe(read);
    expect(digitalOceanErrorKind({ ...failure, effect: 'change' })).toBe(change);
  });
});
