import type { Role } from '@agent-controller/kernel';
import { createHash, randomBytes } from 'node:crypto';

/** A key of a caller with a role, and how it is configured. */
export interface TestKey {
  key: string;
  entry: string;
}

export function newKey(name: string, role: Role): TestKey {
  const key = randomBytes(24).toString('hex');
  return { key, entry: `${name}:${role}:${createHash('sha256').update(key).digest('hex')}` };
}
