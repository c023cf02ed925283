import type { OrphanReportView, OrphanView, SweepView } from '@agent-controller/contracts';
import type { OrphanReport, ReportedOrphan } from '@agent-controller/provisioning-workflow';

export function toOrphanReport({ servers, sweeps, policy }: OrphanReport, now: Date): OrphanReportView {
  return {
    policy,
    servers: servers.map((server) => toOrphan(server, now)),
    sweeps: sweeps.map(toSweep),
  };
}

function toOrphan({ orphan, destroyAfter }: ReportedOrphan, now: Date): OrphanView {
  const { serverCreatedAt, image: _image, ...facts } = orphan;
  return {
    ...facts,
    createdAt: serverCreatedAt.toISOString(),
    ageSeconds: Math.max(0, Math.round((now.getTime() - serverCreatedAt.getTime()) / 1000)),
    firstSeenAt: orphan.firstSeenAt.toISOString(),
    lastSeenAt: orphan.lastSeenAt.toISOString(),
    destroyAfter: destroyAfter?.toISOString() ?? null,
  };
}

function toSweep({ provider, state }: OrphanReport['sweeps'][number]): SweepView {
  return {
    providerType: provider.type,
    lastStartedAt: state?.startedAt?.toISOString() ?? null,
    lastCompletedAt: state?.completedAt?.toISOString() ?? null,
    servers: state?.servers ?? null,
    lastError: state?.lastError ?? null,
    paused:
      state?.pauseReason && state.pausedAt
        ? { reason: state.pauseReason, message: state.pauseMessage ?? '', since: state.pausedAt.toISOString() }
        : null,
  };
}
