/** Where a provisioning stands. Its rows are gone after `deleting`; the log's last event says so. */
export const PHASES = [
  'creating-server',
  'booting',
  'installing',
  'starting',
  'ready',
  'replacing',
  'deleting',
  'failed',
] as const;
export type Phase = (typeof PHASES)[number];

/** What the caller wants in the end. `absent` is for good. */
export type Intent = 'present' | 'absent';

/** From which phase which others can follow. */
export const TRANSITIONS: Record<Phase, readonly Phase[]> = {
  'creating-server': ['booting', 'failed', 'deleting'],
  booting: ['installing', 'failed', 'deleting'],
  installing: ['starting', 'failed', 'deleting'],
  starting: ['ready', 'failed', 'deleting'],
  ready: ['deleting'],
  replacing: ['creating-server', 'ready', 'failed', 'deleting'],
  deleting: ['failed'],
  // Starting: after an adoption, once the credentials are known.
  failed: ['replacing', 'starting', 'deleting'],
};

/** Phases in which nothing happens until a caller asks for something. */
export const SETTLED_PHASES: readonly Phase[] = ['ready', 'failed'];

/** Phases in which no step and no observer keeps the row as the provider says: the sweep does. */
export const SWEPT_PHASES: readonly Phase[] = ['installing', 'starting', 'ready', 'failed'];

/** Phases in which the server itself is looked at until it answers as it should. */
const WATCHED = ['installing', 'starting'] as const;
export type WatchedPhase = (typeof WATCHED)[number];
export const WATCHED_PHASES: readonly Phase[] = WATCHED;

export function isWatched(phase: Phase): phase is WatchedPhase {
  return WATCHED_PHASES.includes(phase);
}

/** Percent done, and what a person reads meanwhile. */
export const PHASE_DISPLAY: Record<Phase, { progress: number; message: string }> = {
  'creating-server': { progress: 5, message: 'Ordering the server' },
  booting: { progress: 20, message: 'The server is ordered and boots' },
  installing: { progress: 45, message: 'The server runs; Docker and the containers are being installed' },
  starting: { progress: 80, message: 'The server answers; waiting for the agent-manager' },
  ready: { progress: 100, message: 'The agent-manager is ready' },
  replacing: { progress: 0, message: 'Removing the earlier server before a new one is ordered' },
  deleting: { progress: 0, message: 'Deleting the server' },
  failed: { progress: 0, message: 'Provisioning failed' },
};

export function canFollow(from: Phase, to: Phase): boolean {
  return TRANSITIONS[from].includes(to);
}
