import type { NewEvent } from '../event-rows';
import { isWatched, type Phase, type WatchedPhase } from '../phases';
import { RETRY_OR_DELETE, type Failure } from '../steps/step';
import type { ServerReport } from './server-report';
import { stageDisplay } from './stages';

/** Of the set-up: what a phase waits for. */
const LAST_PART: Record<WatchedPhase, string> = { installing: 'proxy', starting: 'agent-manager' };

type Stage = ServerReport['stages'][number];

/** Events for what a report says that the one before did not. */
export function reportEvents(report: ServerReport, known: ServerReport | null): NewEvent[] {
  const before = new Map(known?.stages.map((stage) => [key(stage), stage]));
  const changes = report.stages.flatMap((stage) => {
    const seen = before.get(key(stage));
    return [
      ...(seen ? [] : [{ at: stage.startedAt, event: began(stage) }]),
      ...(stage.endedAt && !seen?.endedAt ? [{ at: stage.endedAt, event: ended(stage, stage.endedAt) }] : []),
    ];
  });
  // Sorting is stable: what began and ended at once stays in that order.
  const events = changes.sort((one, other) => Date.parse(one.at) - Date.parse(other.at)).map(({ event }) => event);
  return report.error && !known?.error ? [...events, logEvent(report.error)] : events;
}

/** Why the provisioning failed, when its server says that it did. */
export function installationFailure(report: ServerReport | null): Failure | null {
  if (!report?.error) return null;
  const { stage, cause } = report.error;
  return {
    code: 'installation-failed',
    message: `The set-up of the server failed at the step ${stage}: ${cause}`,
    action: `The event log has the server's last lines. ${RETRY_OR_DELETE}`,
  };
}

/** What was last heard of a server that does not answer. @param silence why it does not */
export function lastWords(report: ServerReport | null, silence: string): string {
  return report ? `The server says: ${reportSummary(report)}. ${silence}` : silence;
}

/** What the server does, for people. */
export function reportSummary({ stage, since }: ServerReport): string {
  return `${stageDisplay(stage).doing}, since ${since}`;
}

/** Whether its secret files are in use, as the proxy's is the first, or its set-up is over. */
export function hasItsFiles(report: ServerReport): boolean {
  return isDone('proxy', report);
}

/** Whether the phase may be over with what is news in a report: a look at the server will tell. */
export function isWorthALook(phase: Phase, report: ServerReport, known: ServerReport | null): boolean {
  if (!isWatched(phase)) return false;
  const part = LAST_PART[phase];
  return isDone(part, report) && !(known !== null && isDone(part, known));
}

function isDone(part: string, { state, stages }: ServerReport): boolean {
  return state !== 'running' || stages.some(({ name, endedAt }) => name === part && endedAt !== null);
}

/** Whether a part of the set-up has begun. */
export function hasBegun(report: ServerReport, name: string): boolean {
  return report.stages.some((stage) => stage.name === name);
}

function key({ name, startedAt }: Stage): string {
  return `${name} ${startedAt}`;
}

function began({ name, startedAt }: Stage): NewEvent {
  const { doing, progress } = stageDisplay(name);
  return { type: 'stage', message: doing, data: { stage: name, state: 'began', at: startedAt, progress } };
}

function ended({ name, startedAt }: Stage, endedAt: string): NewEvent {
  const seconds = Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
  return {
    type: 'stage',
    message: `${stageDisplay(name).done} after ${seconds.toFixed(1)} s`,
    data: { stage: name, state: 'ended', at: endedAt, seconds },
  };
}

function logEvent({ stage, line, exitCode, logTail }: NonNullable<ServerReport['error']>): NewEvent {
  return {
    type: 'log',
    message: `The last ${logTail.length} lines of the server's log`,
    data: { stage, line, exitCode, log: logTail.join('\n') },
  };
}

/** Asking the agent-manager costs three calls: not while its server says that it was not even started. */
export function mayAnswer(report: ServerReport | null): boolean {
  return report === null || report.state !== 'running' || hasBegun(report, 'agent-manager');
}
