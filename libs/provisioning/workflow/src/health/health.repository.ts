import type { Health } from '@agent-controller/clients';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { EventSource } from '../event-rows';
import type { HealthState } from './health-rule';

/** Which agent-managers are looked at: the partial index on `health_due_at` has the first two conditions. */
export const LOOKED_AT = `reference.phase = 'ready' AND reference.intent = 'present'
  AND reference.server_status IS DISTINCT FROM 'lost'`;
/** So that servers that became ready together are not looked at together for ever. */
const JITTERED = `now() + (0.9 + 0.2 * random()) * $2 * interval '1 millisecond'`;

/** A provisioning that is due for a look. */
export interface DueAgent {
  id: string;
  clientId: string;
}

/** A row as it is when its look is saved, locked. */
export interface LockedHealth extends EventSource, HealthState {}

export interface SavedHealth extends HealthState {
  clientId: string;
  checkedAt: Date;
}

/** The columns of health in `provisioning_references` (when to look) and `clients` (what was seen). */
@Injectable()
export class HealthRepository {
  constructor(private readonly dataSource: DataSource) {}

  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.dataSource.transaction(work);
  }

  /**
   * Takes those that are due, and puts their next look off by an interval, in one statement: of controllers that ask at
   * the same moment, one gets each. A look that dies with its controller is made up for by the next one.
   */
  async claim(limit: number, intervalMs: number): Promise<DueAgent[]> {
    const [rows]: [DueAgent[], number] = await this.manager.query(
      `UPDATE provisioning_references AS claimed SET health_due_at = ${JITTERED}
       WHERE id = ANY (ARRAY(
         SELECT id FROM provisioning_references AS reference
         WHERE ${LOOKED_AT} AND (health_due_at IS NULL OR health_due_at <= now())
         ORDER BY health_due_at NULLS FIRST LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
       )) RETURNING claimed.id, claimed.client_id AS "clientId"`,
      [limit, intervalMs],
    );
    return rows;
  }

  /** Makes what was claimed, but not looked at, due at once. */
  async giveBack(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.manager.query(
      `UPDATE provisioning_references AS reference SET health_due_at = NULL
       WHERE id = ANY($1::uuid[]) AND ${LOOKED_AT}`,
      [ids],
    );
  }

  /** Makes the next look due after about so long. */
  async postpone(ids: readonly string[], delayMs: number, manager = this.manager): Promise<void> {
    if (ids.length === 0) return;
    await manager.query(
      `UPDATE provisioning_references AS reference SET health_due_at = ${JITTERED}
       WHERE id = ANY($1::uuid[]) AND ${LOOKED_AT}`,
      [ids, delayMs],
    );
  }

  /** Time until the next look is due, 0 when one is; null when there is nobody to look at. */
  async nextDueMs(): Promise<number | null> {
    const [row]: { ms: number | null }[] = await this.manager.query(
      `SELECT extract(epoch FROM due.at - now())::float8 * 1000 AS ms
       FROM (
         SELECT CASE
           WHEN EXISTS (
             SELECT 1 FROM provisioning_references AS reference WHERE ${LOOKED_AT} AND health_due_at IS NULL
           ) THEN now()
           ELSE (SELECT min(health_due_at) FROM provisioning_references AS reference WHERE ${LOOKED_AT})
         END AS at
       ) AS due`,
    );
    return typeof row?.ms === 'number' ? Math.max(0, row.ms) : null;
  }

  /** Locks what is still ready and wanted; whatever is about to be deleted is left out. */
  lock(ids: readonly string[], manager: EntityManager): Promise<LockedHealth[]> {
    return manager.query(
      `SELECT reference.id, reference.client_id AS "clientId", reference.phase, reference.attempt,
         client.health, client.health_since AS since, client.health_failing_since AS "failingSince"
       FROM provisioning_references AS reference JOIN clients AS client ON client.id = reference.client_id
       WHERE reference.id = ANY($1::uuid[]) AND ${LOOKED_AT}
       ORDER BY reference.id FOR NO KEY UPDATE`,
      [ids],
    );
  }

  /** One statement for all looks of a run. `updated_at` stays: nobody changed the client. */
  async save(seen: readonly SavedHealth[], manager: EntityManager): Promise<void> {
    if (seen.length === 0) return;
    const column = <T>(value: (row: SavedHealth) => T) => seen.map(value);
    await manager.query(
      `UPDATE clients SET health = seen.health, health_since = seen.since,
         health_failing_since = seen.failing_since, health_checked_at = seen.checked_at
       FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
         AS seen (id, health, since, failing_since, checked_at)
       WHERE clients.id = seen.id`,
      [
        column(({ clientId }) => clientId),
        column(({ health }): Health | null => health),
        column(({ since }) => since),
        column(({ failingSince }) => failingSince),
        column(({ checkedAt }) => checkedAt),
      ],
    );
  }
}
