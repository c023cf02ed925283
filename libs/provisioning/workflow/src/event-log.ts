import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CHANGE_CHANNEL, insertEvents, type EventSource, type NewEvent, type NumberedEvents } from './event-rows';
import { ProvisioningEvent } from './provisioning-event.entity';

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
    const before = (result[0][0]?.last ?? events.length) - events.length;
    await this.appendNumbered(manager, [{ source, before, events }], at);
  }

  /**
   * The same for several, where the caller holds the rows' locks and has counted: `last_event_seq` was `before`, and is
   * greater by the number of events now.
   */
  async appendNumbered(manager: EntityManager, logs: readonly NumberedEvents[], at: Date): Promise<void> {
    const written = logs.filter(({ events }) => events.length > 0);
    if (written.length === 0) return;
    const { text, values } = insertEvents(written, at, 1);
    await manager.query(text, values);
    await announceChange(manager, ...new Set(written.map(({ source }) => source.clientId)));
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

/** Tells every controller, once the transaction commits, that something about these clients' provisionings changed. */
export async function announceChange(manager: EntityManager, ...clientIds: string[]): Promise<void> {
  await manager.query(`SELECT pg_notify($1, id) FROM unnest($2::text[]) AS id`, [CHANGE_CHANNEL, clientIds]);
}
