import { ROLES, type Role } from '@agent-controller/kernel';

/** A key as it is configured: only its digest. */
export interface ApiKeyEntry {
  /** Several keys may have one: while one replaces the other, or with different roles. */
  name: string;
  role: Role;
  /** SHA-256 of the key. */
  digest: Buffer;
}

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;
const DIGEST = /^[0-9a-f]{64}$/i;

export const API_KEY_ENTRY_KIND = 'NAME:ROLE:SHA256 (npm run new-api-key -- NAME ROLE prints one)';

/**
 * Reads `NAME:ROLE:SHA256`, one for each key, separated by commas or lines; a line that begins with `#` is a comment.
 * @throws Error that names the entry by its number, and never repeats it: somebody may have put the key itself there
 */
export function parseApiKeyEntries(text: string): ApiKeyEntry[] {
  const parts = text
    .split('\n')
    .filter((line) => !line.trim().startsWith('#'))
    .flatMap((line) => line.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return parts.map((part, index) => {
    const [name = '', role = '', digest = '', ...rest] = part.split(':');
    const isSound = NAME.test(name) && (ROLES as readonly string[]).includes(role) && DIGEST.test(digest);
    if (!isSound || rest.length > 0) {
      throw new Error(`entry ${index + 1} is not ${API_KEY_ENTRY_KIND}, with a role of ${ROLES.join(', ')}`);
    }
    return { name, role: role as Role, digest: Buffer.from(digest, 'hex') };
  });
}
