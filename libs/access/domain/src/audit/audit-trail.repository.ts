import { quickQuery } from '@agent-controller/database';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditEntry } from './audit-entry.entity';

export type NewAuditEntry = Omit<AuditEntry, 'id' | 'clientName'>;

export interface AuditFilter {
  clientId?: string;
  subject?: string;
  /** From then on. */
  since?: Date;
  /** Only older entries than this one: where the page before ended. */
  before?: string;
}

/** The table `audit_log`. */
@Injectable()
export class AuditTrailRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** In this order, with the clients' names; that of a client that is gone is known from earlier entries. */
  async append(entries: readonly NewAuditEntry[]): Promise<void> {
    await quickQuery(
      this.dataSource,
      `INSERT INTO audit_log (at, subject, role, action, client_id, client_name, address, status, code, request_id, count)
       SELECT at, subject, role, action, client_id, coalesce(
         (SELECT name FROM clients WHERE id = entry.client_id),
         (SELECT client_name FROM audit_log WHERE audit_log.client_id = entry.client_id AND client_name IS NOT NULL
          ORDER BY id DESC LIMIT 1)
       ), address, status, code, request_id, count
       FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (
         at timestamptz, subject text, role text, action text, "clientId" uuid, address text, status integer, code text,
         "requestId" text, count integer
       )) WITH ORDINALITY AS entry (at, subject, role, action, client_id, address, status, code, request_id, count, place)
       ORDER BY place`,
      [JSON.stringify(entries)],
    );
  }

  /** Newest first. @param limit rows at most */
  page({ clientId, subject, since, before }: AuditFilter, limit: number): Promise<AuditEntry[]> {
    const query = this.dataSource.getRepository(AuditEntry).createQueryBuilder('entry');
    if (clientId !== undefined) query.andWhere('entry.clientId = :clientId', { clientId });
    if (subject !== undefined) query.andWhere('entry.subject = :subject', { subject });
    if (since) query.andWhere('entry.at >= :since', { since });
    if (before !== undefined) query.andWhere('entry.id < :before', { before });
    return query.orderBy('entry.id', 'DESC').limit(limit).getMany();
  }

  /**
   * Removes the oldest entries, with an entry that says so, where one is a day older than `before`: so that days and not
   * hours are removed, and what is said of it does not grow.
   * @param limit entries at most @returns how many
   */
  async removeBefore(before: Date, limit: number): Promise<number> {
    const [found]: { removed: number }[] = await this.dataSource.query(
      `SELECT CASE WHEN (SELECT at FROM audit_log ORDER BY id LIMIT 1) < $1::timestamptz - interval '1 day'
         THEN audit_log_remove_before($1, $2) ELSE 0 END AS removed`,
      [before, limit],
    );
    return found?.removed ?? 0;
  }
}
