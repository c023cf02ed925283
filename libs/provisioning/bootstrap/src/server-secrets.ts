import { randomBytes } from 'node:crypto';
import type { ServerSecrets } from './bootstrap-spec';

/** New random secrets for one server. */
export function createServerSecrets(): ServerSecrets {
  return {
    databasePassword: randomBytes(24).toString('base64url'),
    jwtSecret: randomBytes(48).toString('base64url'),
    encryptionKey: randomBytes(32).toString('base64'),
  };
}
