import { Client } from '@agent-controller/clients';
import { quickQuery, updateOf, type Fragment } from '@agent-controller/database';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asSeen } from './as-seen';
import { CHANGE_CHANNEL, insertEvents } from './event-rows';
import { jobSql } from './jobs/job-queue';
import { ProvisioningReference } from './provisioning-reference.entity';
import type { SeenRow, StepChanges } from './step-changes';
import { jobsOf } from './step-jobs';

/** By the numbers of the statement's parameters. */
const SEEN = asSeen('provisioning_references', {
  ...{ version: '$2', nudges: '$4', seq: '$5', intent: '$6', pausedMs: '$7', reportSeq: '$8' },
});

/**
 * Saves what a step changes by one statement, where a transaction with the same content takes about eight: sending a
 * statement is what steps cost most (docs/benchmarks-provisioning.md).
 */
@Injectable()
export class QuickCommit {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * @param changes made of the row as the step saw it
   * @returns false when the row is not as it was seen, or the lease is over: nothing was written
   */
  async save(seen: SeenRow, changes: StepChanges, now: Date): Promise<boolean> {
    const { text, values } = this.statement(seen, changes, now);
    return (await quickQuery(this.dataSource, text, values)).length === 1;
  }

  private statement({ reference: row, leaseOwner }: SeenRow, changes: StepChanges, now: Date): Fragment {
    const { id, version, nudges, lastEventSeq, intent, pausedMs, report } = row;
    const values: unknown[] = [id, version, leaseOwner, nudges, lastEventSeq, intent, pausedMs, report?.seq ?? null];
    const add = (make: (from: number) => Fragment) => {
      const { text, values: more } = make(values.length + 1);
      values.push(...more);
      return text;
    };
    const reference = add((from) => updateOf(this.dataSource, ProvisioningReference, changes.reference, from));
    const client = (from: number) => updateOf(this.dataSource, Client, changes.client, from);
    const numbered = { source: changes.source, before: lastEventSeq, events: changes.events };
    const parts = [
      ...(Object.keys(changes.client).length > 0
        ? [`client AS (${add(client)} FROM saved WHERE clients.id = saved.client_id)`]
        : []),
      ...(changes.events.length > 0
        ? [`event AS (${add((from) => insertEvents([numbered], now, from, 'SELECT id FROM saved'))})`]
        : []),
    ];
    const calls = [
      ...jobsOf(row, changes).map((job) => add((from) => jobSql(job, from))),
      ...(changes.events.length > 0 ? [`pg_notify('${CHANGE_CHANNEL}', client_id::text)`] : []),
    ];
    // The clock is asked when the lock is held.
    const text = `WITH held AS MATERIALIZED (
        SELECT id, lease_until FROM provisioning_references
        WHERE id = $1 AND lease_owner = $3 AND ${SEEN}
        FOR NO KEY UPDATE
      ), saved AS (
        ${reference} FROM held
        WHERE provisioning_references.id = held.id AND held.lease_until >= clock_timestamp()
        RETURNING provisioning_references.id, provisioning_references.client_id
      )${parts.map((part) => `, ${part}`).join('')}
      SELECT ${['id', ...calls.map((call, index) => `${call} AS call${index}`)].join(', ')} FROM saved`;
    return { text, values };
  }
}
