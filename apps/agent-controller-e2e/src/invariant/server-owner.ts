export interface ServerOwner {
  instanceId: string;
  provisioningId: string;
  attempt: number;
}

/** Whose a server is by its labels or tags, read here anew so that an error of the adapters shows; null: not ours. */
export function serverOwner({ labels, tags }: { labels: Record<string, string>; tags: string[] }): ServerOwner | null {
  const tag = (prefix: string) => tags.find((each) => each.startsWith(prefix))?.slice(prefix.length);
  const instanceId = labels['agent-controller/instance'] ?? tag('ac-instance:');
  if (instanceId === undefined) return null;
  return {
    instanceId,
    provisioningId: labels['agent-controller/provisioning'] ?? tag('ac-provisioning:') ?? '',
    attempt: Number(labels['agent-controller/attempt'] ?? tag('ac-attempt:')),
  };
}
