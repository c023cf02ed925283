import type { OwnerQuery, OwnerTag } from '@agent-controller/cloud-port';

/** On every server of any installation of ours. */
const MANAGED_BY = 'managed-by';
const MANAGED_BY_US = 'agent-controller';
const INSTANCE = 'agent-controller/instance';
const PROVISIONING = 'agent-controller/provisioning';
const ATTEMPT = 'agent-controller/attempt';

export const ownedSelector = `${MANAGED_BY}==${MANAGED_BY_US}`;

export function ownerLabels(owner: OwnerTag): Record<string, string> {
  return {
    [MANAGED_BY]: MANAGED_BY_US,
    [INSTANCE]: owner.instanceId,
    [PROVISIONING]: owner.provisioningId,
    [ATTEMPT]: String(owner.attempt),
  };
}

/** Of a key that a caller gave us, and of a firewall. */
export function instanceLabels(instanceId: string): Record<string, string> {
  return { [MANAGED_BY]: MANAGED_BY_US, [INSTANCE]: instanceId };
}

export function instanceOfLabels(labels: Record<string, string>): string | null {
  return labels[INSTANCE] ?? null;
}

export function ownerSelector({ instanceId, provisioningId, attempt }: OwnerQuery): string {
  const parts = [`${INSTANCE}==${instanceId}`, `${PROVISIONING}==${provisioningId}`];
  if (attempt !== undefined) parts.push(`${ATTEMPT}==${attempt}`);
  return parts.join(',');
}

/** Null when the labels are not ours or not complete. */
export function ownerFromLabels(labels: Record<string, string>): OwnerTag | null {
  const { [MANAGED_BY]: by, [INSTANCE]: instanceId, [PROVISIONING]: provisioningId, [ATTEMPT]: attempt } = labels;
  if (by !== MANAGED_BY_US || !instanceId || !provisioningId || !/^[1-9]\d{0,8}$/.test(attempt ?? '')) return null;
  return { instanceId, provisioningId, attempt: Number(attempt) };
}
