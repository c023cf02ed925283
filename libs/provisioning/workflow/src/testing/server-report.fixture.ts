import type { ServerReport } from '../reports/server-report';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 2) + seconds * 1000).toISOString();

export function stageOf(
  name: string,
  startedAt: number,
  endedAt: number | null = null,
): ServerReport['stages'][number] {
  return { name, startedAt: at(startedAt), endedAt: endedAt === null ? null : at(endedAt) };
}

/** A report of a server that installs Docker. */
export function reportWith(changes: Partial<ServerReport> = {}): ServerReport {
  const stages = changes.stages ?? [stageOf('boot', 0, 20), stageOf('docker', 20)];
  const last = stages.at(-1);
  return {
    version: 1,
    seq: 1,
    state: 'running',
    stage: last?.name ?? 'boot',
    since: last?.startedAt ?? at(0),
    startedAt: at(20),
    stages,
    error: null,
    ...changes,
  };
}

export function failedReport(changes: Partial<ServerReport> = {}): ServerReport {
  return reportWith({
    seq: 9,
    state: 'failed',
    error: {
      stage: 'docker',
      cause: 'Docker could not be installed',
      line: 7,
      exitCode: 100,
      logTail: ['E: no such package', 'it ends'],
    },
    ...changes,
  });
}
