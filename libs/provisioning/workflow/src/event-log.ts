import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Phase } from './phases';
import { ProvisioningEvent, type EventData, type EventType } from './provisioning-event.entity';

export interface NewEvent {
  type: EventType;
  message: string;
  data?: EventData;
}

/** The row that an event belongs to, locked by the caller's transaction. */
export interface EventSource {
  id: string;
  clientId: string;
  phase: Phase;
  attempt: number;
}

/** Channel on which changed provisionings are announced; the payload is the client's id. */
export const CHANGE_CHANNEL = 'provisioning_changed';

/** The table `provisioning_events`: append and read, nothing else. */
@Injectable()
export class EventLog {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Appends to a provisioning's log in the caller's transaction, which holds the row's lock (or takes it here), so
   * that numbers have no gap and become visible in their order.
   */
  async append(manager: EntityManager, source: EventSource, events: readonly NewEvent[], at: Date): Promise<void> {
    if (events.length === 0) return;
    const result: [{ last: number }[], number] = await manager.query(
      `UPDATE provisioning_references SET last_event_seq = last_event_seq + $2 WHERE id = $1
       RETURNING last_event_seq AS last`,
      [source.id, events.length],
    );
    const first = (result[0][0]?.last ?? events.length) - events.length + 1;
    await manager.insert(
      ProvisioningEvent,
      events.map((event, index) => ({
        provisioningId: source.id,
        seq: first + index,
        clientId: source.clientId,
        at,
        type: event.type,
        phase: source.phase,
        attempt: source.attempt,
        message: event.message,
        data: event.data ?? null,
        expiresAt: null,
      })),
    );
    await announceChange(manager, source.clientId);
  }

  /** Number of the last event of a provisioning that has no row; 0 when there is none. */
  async lastSeq(provisioningId: string, manager: EntityManager): Promise<number> {
    return (await manager.maximum(ProvisioningEvent, 'seq', { provisioningId })) ?? 0;
  }

  /** Errors with this code in the source's present attempt. */
  errorsOfAttempt(manager: EntityManager, source: EventSource, code: string): Promise<ProvisioningEvent[]> {
    return manager
      .createQueryBuilder(ProvisioningEvent, 'event')
      .where({ provisioningId: source.id, attempt: source.attempt, type: 'error' })
      .andWhere(`event.data ->> 'code' = :code`, { code })
      .getMany();
  }

  /** Events of a client's provisioning after the given number, oldest first. */
  since(clientId: string, afterSeq: number, limit = 500): Promise<ProvisioningEvent[]> {
    return this.dataSource
      .getRepository(ProvisioningEvent)
      .createQueryBuilder('event')
      .where('event.clientId = :clientId AND event.seq > :afterSeq', { clientId, afterSeq })
      .orderBy('event.seq', 'ASC')
      .limit(limit)
      .getMany();
  }
}

/** Tells every controller, once the transaction commits, that something about this client's provisioning changed. */
export async function announceChange(manager: EntityManager, clientId: string): Promise<void> {
  await manager.query(`SELECT pg_notify($1, $2)`, [CHANGE_CHANNEL, clientId]);
}
