import type { OwnerTag } from '@agent-controller/cloud-port';

/** On every droplet of any installation of ours. */
export const OWNED_TAG = 'agent-controller';
const INSTANCE = 'ac-instance:';
const PROVISIONING = 'ac-provisioning:';
const ATTEMPT = 'ac-attempt:';
const ORDERED = 'ac-ordered:';
/** As many as can be ordered in it fit on two pages of a list. */
const LOOK_MINUTES = 2;

/** Tags are `[A-Za-z0-9_:-]`, and lower case is what comes back as it was sent. */
export function ownerTags(owner: OwnerTag): string[] {
  return [
    OWNED_TAG,
    `${INSTANCE}${owner.instanceId}`,
    provisioningTag(owner.provisioningId),
    `${ATTEMPT}${owner.attempt}`,
  ].map((tag) => tag.toLowerCase());
}

export function provisioningTag(provisioningId: string): string {
  return `${PROVISIONING}${provisioningId}`.toLowerCase();
}

/** Null when the tags are not ours or not complete. */
export function ownerFromTags(tags: readonly string[]): OwnerTag | null {
  const value = (prefix: string) => tags.find((tag) => tag.startsWith(prefix))?.slice(prefix.length);
  const instanceId = value(INSTANCE);
  const provisioningId = value(PROVISIONING);
  const attempt = value(ATTEMPT) ?? '';
  if (!tags.includes(OWNED_TAG) || !instanceId || !provisioningId || !/^[1-9]\d{0,8}$/.test(attempt)) return null;
  return { instanceId, provisioningId, attempt: Number(attempt) };
}

/** Shared by what is ordered within some minutes, so that a list can be narrowed to it. */
export function lookTag(at: Date): string {
  const minutes = Math.floor(at.getTime() / 60_000);
  return `${ORDERED}${minutes - (minutes % LOOK_MINUTES)}`;
}

export function lookTagOf(tags: readonly string[]): string | undefined {
  return tags.find((tag) => tag.startsWith(ORDERED));
}
