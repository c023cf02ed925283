import type { OwnerTag } from './cloud-provider';

const MAX_HOSTNAME = 63;

/**
 * The server's name: what a person asked for, then the start of the provisioning's id, then the attempt.
 * Where a provider keeps names unique, a repeated create of the same attempt is refused instead of billed.
 * @param wanted a hostname label by RFC 1123
 */
export function serverName(wanted: string, owner: Omit<OwnerTag, 'instanceId'>): string {
  const suffix = `-${owner.provisioningId.replaceAll('-', '').slice(0, 8)}-${owner.attempt}`;
  return wanted.slice(0, MAX_HOSTNAME - suffix.length).replace(/-+$/, '') + suffix;
}
