import type { ProviderType } from '@agent-controller/cloud-port';
import type { Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { LOGGER } from '../tokens';
import { DatabaseFingerprint, fingerprintChanges } from './database-fingerprint';
import type { PauseReason, ProviderSweep } from './provider-sweep.entity';
import type { SweepAction } from './sweep-decision';
import { SweepRepository } from './sweep.repository';

/** The providers' clocks and ours may differ by so much; a pause too many does no harm. */
const CLOCKS_DIFFER_MS = 60_000;

export interface PauseFacts {
  /** As it was when the sweep began. */
  state: Pick<ProviderSweep, 'coveredUntil' | 'resumedAt' | 'databaseFingerprint'>;
  fingerprint: string;
  actions: readonly SweepAction[];
  /** Ids of orphans that an earlier sweep has seen. */
  knownOrphans: ReadonlySet<string>;
}

/** Why the rows cannot be trusted to know all servers; null when nothing says so. */
export function pauseReason(facts: PauseFacts): { reason: PauseReason; message: string } | null {
  const changes = fingerprintChanges(facts.state.databaseFingerprint ?? '', facts.fingerprint);
  if (changes.length > 0) {
    const message = `The rows are in another database, or in another history of it, than at the last sweep (${changes.join(', ')}).`;
    return { reason: 'database-changed', message };
  }
  const strange = facts.actions.find((action) => isNewer(action, facts));
  if (strange && strange.kind !== 'missing') {
    const { name, id } = strange.server;
    const message = `The server ${name} (${id}) is newer than what this database knows: it may have lost rows.`;
    return { reason: 'restored-backup', message };
  }
  const foreign = facts.actions.find(
    (action) => action.kind === 'foreign' && !isBefore(action.row.createdAt, facts.state.resumedAt),
  );
  if (foreign?.kind !== 'foreign') return null;
  const { id, owner } = foreign.server;
  const message = `The server ${id} of a row carries the id ${owner?.instanceId} of another installation.`;
  return { reason: 'instance-changed', message };
}

/** Whether the server was made after the last time that this database saw all servers, and yet is not known. */
function isNewer(action: SweepAction, { state, knownOrphans }: PauseFacts): boolean {
  if (action.kind === 'ahead') return !isBefore(action.server.createdAt, state.resumedAt);
  if (action.kind !== 'orphan' || knownOrphans.has(action.server.id)) return false;
  if (!state.coveredUntil) return true;
  return action.server.createdAt.getTime() > state.coveredUntil.getTime() - CLOCKS_DIFFER_MS;
}

function isBefore(at: Date, limit: Date | null): boolean {
  return limit !== null && at.getTime() <= limit.getTime();
}

/** Stops the sweep's own destroying after a restored backup or a changed instance id, until a person ends the pause. */
@Injectable()
export class SweepPause {
  constructor(
    private readonly sweeps: SweepRepository,
    private readonly fingerprint: DatabaseFingerprint,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @returns the fingerprint that is to be remembered after this sweep */
  async check(
    provider: ProviderType,
    state: ProviderSweep,
    actions: readonly SweepAction[],
    now: Date,
  ): Promise<string> {
    const fingerprint = await this.fingerprint.read();
    const known = await this.sweeps.orphans({ providerType: provider });
    const knownOrphans = new Set(known.map(({ serverId }) => serverId));
    const found = pauseReason({ state, fingerprint, actions, knownOrphans });
    if (found && (await this.sweeps.pause(provider, found.reason, found.message, now))) {
      this.logger.warn({ provider, reason: found.reason }, `the sweep destroys nothing any more: ${found.message}`);
    }
    return state.databaseFingerprint ?? fingerprint;
  }

  /** Of all providers: whoever ends the pause has looked, and what is there now is no reason for another one. */
  async resume(now: Date): Promise<void> {
    const databaseFingerprint = await this.fingerprint.read();
    for (const { providerType, pauseReason: reason } of await this.sweeps.all()) {
      await this.sweeps.resume(providerType, { databaseFingerprint, resumedAt: now });
      if (reason) this.logger.warn({ provider: providerType, reason }, 'the pause of the sweep was ended by a caller');
    }
  }
}
