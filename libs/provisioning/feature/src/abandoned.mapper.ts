import type { AbandonedServerView } from '@agent-controller/contracts';
import type { AbandonedServer } from '@agent-controller/provisioning-workflow';

export function toAbandonedView({ owner: _owner, abandonedAt, ...server }: AbandonedServer): AbandonedServerView {
  return { ...server, abandonedAt: abandonedAt.toISOString() };
}
