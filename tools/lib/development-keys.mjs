import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Random keys for this checkout, made once: what was sealed in `.data/` must open again after a restart. */
export function developmentKeys(file) {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o711 });
    const keys = {
      AUTHENTICATION_METHOD: 'api-key',
      STATIC_API_KEY: `dev-${randomBytes(18).toString('hex')}`,
      ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
    };
    writeFileSync(file, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}
