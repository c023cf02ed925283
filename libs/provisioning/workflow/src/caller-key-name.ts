import type { ManagedKey } from '@agent-controller/cloud-port';
import { createHash } from 'node:crypto';

const HASH_DIGITS = 16;
const NAME = new RegExp(`^agent-controller-key-([0-9a-f]{${HASH_DIGITS}})(?:-(.+))?$`);

/**
 * What a caller's key is called in the projects: the same for the same key, whatever its comment. The installation is in
 * it, since DigitalOcean has no labels for keys, and two installations may share a project.
 */
export function callerKeyName(publicKey: string, instanceId: string): string {
  return `agent-controller-key-${contentHash(publicKey)}-${instanceId}`;
}

/** Whether this installation put the key there: name and content say so, and no other installation's id does. */
export function isCallerKeyOf({ name, publicKey, instanceId: labelled }: ManagedKey, instanceId: string): boolean {
  const [, hash, named] = NAME.exec(name) ?? [];
  if (hash === undefined || hash !== contentHash(publicKey)) return false;
  // A key from before the id was in names is ours only where a label says so.
  if (named !== undefined && named !== instanceId) return false;
  return labelled === null ? named === instanceId : labelled === instanceId;
}

/** Recognises a key by its content alone. */
export function contentHash(publicKey: string): string {
  const blob = Buffer.from(publicKey.trim().split(/\s+/)[1] ?? '', 'base64');
  return createHash('sha256').update(blob).digest('hex').slice(0, HASH_DIGITS);
}
