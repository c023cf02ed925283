import { Client } from '@agent-controller/clients';
import { CloudProviderRegistry } from '@agent-controller/cloud-port';
import { isDatabaseAway, quickQuery, recordOf, updateFrom, type Fragment } from '@agent-controller/database';
import type { Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityTarget, type ObjectLiteral } from 'typeorm';
import { asSeen } from './as-seen';
import { CHANGE_CHANNEL, insertEvents } from './event-rows';
import { forgetSteps, jobSql, type NewJob } from './jobs/job-queue';
import { SETTLED_PHASES } from './phases';
import { ProvisioningReference } from './provisioning-reference.entity';
import { readRows } from './reference-rows';
import {
  changesOf,
  recovered,
  STEP_COLUMNS,
  tellPhase,
  type LastingResult,
  type StepChanges,
  type StepRow,
} from './step-changes';
import { inStepSpan } from './step-span';
import { timeLimitFailure } from './time-limit';
import { LOGGER } from './tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

const SEEN = asSeen('row', {
  ...{ version: 'given.version', nudges: 'given.nudges', seq: 'given.seq', intent: `'present'` },
  ...{ pausedMs: 'given.paused_ms', reportSeq: 'given.report_seq' },
});

/** What a look at a server found out, and the row as it was before. */
export interface Finding {
  row: StepRow;
  result: LastingResult;
}

interface Change extends Finding {
  changes: StepChanges;
  reference: Record<string, unknown>;
  client: Record<string, unknown>;
}

/**
 * Saves what looks found out of many rows by one statement, where a step for each would take its lease, look again, and
 * commit. Looking changes nothing at the server, so no lease is needed: a row that anybody works on, or that anybody but
 * its server has touched since it was read, is left to its step.
 */
@Injectable()
export class CrowdCommit {
  constructor(
    private readonly dataSource: DataSource,
    private readonly providers: CloudProviderRegistry,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Jobs that wait for these rows stay, and wake their steps in time in case that nobody looks any more; those of rows
   * that are settled are taken away.
   * @param jobs to be made with what is saved, if anything is
   * @returns ids of the rows that were saved: the steps of the others must be woken
   */
  async save(findings: readonly Finding[], now: Date, jobs: readonly NewJob[] = []): Promise<ReadonlySet<string>> {
    const first = await this.saveAsSeen(findings, now, jobs);
    const touched = first.rest.length > 0 ? await this.reread(first.rest) : [];
    const again = touched.length > 0 ? await this.saveAsSeen(touched, now, jobs) : null;
    return new Set([...first.saved, ...(again?.saved ?? [])]);
  }

  private async saveAsSeen(findings: readonly Finding[], now: Date, jobs: readonly NewJob[]) {
    const saved = new Set<string>();
    const rest: Finding[] = [];
    const going = findings.filter(({ row }) => this.mayGoOn(row, now));
    for (const group of this.alike(going, now)) {
      const ids = await this.saveAlike(group, now, jobs);
      for (const { row, result } of group) {
        if (ids?.has(row.id)) {
          saved.add(row.id);
          tell(row, result, now);
        } else if (ids) rest.push({ row, result });
      }
    }
    return { saved, rest };
  }

  /**
   * A server reports while it is looked at, which changes nothing about what was found. Twice within milliseconds it does
   * not, so once more is enough; whatever else has changed is for the step.
   */
  private async reread(touched: readonly Finding[]): Promise<Finding[]> {
    const ids = touched.map(({ row }) => row.id);
    const rows = await readRows(this.dataSource, ids, STEP_COLUMNS);
    const present = new Map(rows.map((row) => [row.id, row]));
    return touched.flatMap(({ row: before, result }) => {
      const row = present.get(before.id);
      if (!row || row.version !== before.version || row.nudges !== before.nudges || row.report?.error) return [];
      return [{ row, result }];
    });
  }

  /** What a step would look at before its work; where it would not begin, it must say so itself. */
  private mayGoOn(row: StepRow, now: Date): boolean {
    if (row.intent !== 'present' || row.pausedSince !== null || !this.providers.find(row.providerType)) return false;
    return timeLimitFailure(row, this.options, now) === null;
  }

  /** In groups that change the same columns: texts of statements are few. */
  private alike(findings: readonly Finding[], now: Date): Iterable<Change[]> {
    const groups = new Map<string, Change[]>();
    for (const { row, result } of findings) {
      const patch = { ...recovered(row, now), ...result.patch };
      const changes = changesOf(row, { ...result, patch }, this.options, now);
      const reference = recordOf(this.dataSource, ProvisioningReference, changes.reference);
      const client = recordOf(this.dataSource, Client, changes.client);
      const key = [...Object.keys(reference), '', ...Object.keys(client), changes.phase].join();
      groups.set(key, [...(groups.get(key) ?? []), { row, result, changes, reference, client }]);
    }
    return groups.values();
  }

  /** @returns null when none of them can be saved so */
  private async saveAlike(
    group: readonly Change[],
    now: Date,
    jobs: readonly NewJob[],
  ): Promise<ReadonlySet<string> | null> {
    const [first] = group;
    if (!first) return null;
    const { text, values } = this.statement(first, group, now, jobs);
    try {
      const saved = await quickQuery<{ id: string }>(this.dataSource, text, values);
      return new Set(saved.map(({ id }) => id));
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      // One of them that cannot be saved must not keep the others: each has its step.
      this.logger.error({ err: error, rows: group.length }, 'what looks found out could not be saved for many at once');
      return null;
    }
  }

  private statement(
    { reference, client, changes: { phase } }: Change,
    group: readonly Change[],
    now: Date,
    jobs: readonly NewJob[],
  ): Fragment {
    const values: unknown[] = [JSON.stringify(group.map(given))];
    const add = ({ text, values: more }: Fragment) => {
      values.push(...more);
      return text;
    };
    const logs = group.map(({ row, changes: { source, events } }) => ({ source, before: row.lastEventSeq, events }));
    const update = (entity: EntityTarget<ObjectLiteral>, columns: object) =>
      updateFrom(this.dataSource, entity, Object.keys(columns), 'value');
    const parts = [
      ...(Object.keys(client).length > 0
        ? [
            `client AS (
        ${update(Client, client)} FROM saved JOIN given USING (id), jsonb_populate_record(NULL::clients, given.client) AS value
        WHERE clients.id = saved.client_id
      )`,
          ]
        : []),
      `event AS (${add(insertEvents(logs, now, values.length + 1, 'SELECT id FROM saved'))})`,
    ];
    const calls = [
      `pg_notify('${CHANGE_CHANNEL}', client_id::text)`,
      // Each once, whatever is saved.
      ...jobs.map((job) => `(SELECT ${add(jobSql(job, values.length + 1))} FROM (SELECT FROM saved LIMIT 1) AS one)`),
      ...(SETTLED_PHASES.includes(phase) ? [forgetSteps('SELECT id FROM saved')] : []),
    ];
    // Whoever holds a row's lock may be changing it: that is for its step to see.
    const text = `WITH given AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset($1::jsonb) AS given (id uuid, version integer, nudges integer, seq integer,
          paused_ms integer, report_seq bigint, reference jsonb, client jsonb)
      ), held AS MATERIALIZED (
        SELECT row.id FROM given JOIN provisioning_references AS row USING (id)
        WHERE ${SEEN} AND row.paused_since IS NULL
          AND (row.lease_owner IS NULL OR row.lease_until < now())
        FOR NO KEY UPDATE OF row SKIP LOCKED
      ), saved AS (
        ${update(ProvisioningReference, reference)}
        FROM held JOIN given USING (id), jsonb_populate_record(NULL::provisioning_references, given.reference) AS value
        WHERE provisioning_references.id = held.id
        RETURNING provisioning_references.id, provisioning_references.client_id
      )${parts.map((part) => `, ${part}`).join('')}
      SELECT ${['id', ...calls.map((call, index) => `${call} AS call${index}`)].join(', ')} FROM saved`;
    return { text, values };
  }
}

function given({ row, reference, client }: Change) {
  const { id, version, nudges, lastEventSeq, pausedMs, report } = row;
  const seen = { id, version, nudges, seq: lastEventSeq, paused_ms: pausedMs, report_seq: report?.seq ?? null };
  return { ...seen, reference, client };
}

/** As a step would be told of: its phase, over because of what a look found. */
function tell(row: StepRow, result: LastingResult, now: Date): void {
  tellPhase(row, result, now);
  void inStepSpan(row, async (span) => span?.set({ 'step.result': result.kind }));
}
