import { quickQuery } from '@agent-controller/database';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CHANGE_CHANNEL, type NewEvent } from '../event-rows';
import type { ProvisioningReference } from '../provisioning-reference.entity';

interface Binding {
  key: string;
  /** By the server's clock. */
  sentAt: Date;
  /** For the log; null when the key was bound before. */
  event: NewEvent | null;
  at: Date;
}

/** Which key a provisioning's secret files are given to. */
@Injectable()
export class BootstrapKeys {
  constructor(private readonly dataSource: DataSource) {}

  /** @returns false, and nothing is written, when the row is not as it was seen by whoever judged the request */
  async bind(seen: ProvisioningReference, { key, sentAt, event, at }: Binding): Promise<boolean> {
    const bound = await quickQuery(
      this.dataSource,
      `WITH bound AS (
         UPDATE provisioning_references SET bootstrap_key = $2, bootstrap_sent_at = $3, updated_at = now(),
           last_event_seq = last_event_seq + ($4::text IS NOT NULL)::integer
         WHERE id = $1 AND version = $7 AND attempt = $8 AND phase = $9 AND intent = 'present'
           AND bootstrap_token_hash = $10 AND bootstrap_key IS NOT DISTINCT FROM $11
           AND bootstrap_sent_at IS NOT DISTINCT FROM $12 AND public_ip IS NOT DISTINCT FROM $13
         RETURNING id, client_id, phase, attempt, last_event_seq
       ), event AS (
         INSERT INTO provisioning_events (at, provisioning_id, client_id, phase, attempt, seq, type, message, data)
         SELECT $14, id, client_id, phase, attempt, last_event_seq, $4, $5, $6 FROM bound WHERE $4::text IS NOT NULL
       )
       SELECT CASE WHEN $4::text IS NOT NULL THEN pg_notify('${CHANGE_CHANNEL}', client_id::text) END FROM bound`,
      [
        ...[seen.id, key, sentAt, event?.type ?? null, event?.message ?? null, JSON.stringify(event?.data ?? null)],
        ...[seen.version, seen.attempt, seen.phase, seen.bootstrapTokenHash, seen.bootstrapKey, seen.bootstrapSentAt],
        ...[seen.publicIp, at],
      ],
    );
    return bound.length === 1;
  }
}
