import type { Fragment } from '@agent-controller/database';
import type { Phase } from './phases';
import type { EventData, EventType } from './provisioning-event.entity';

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

/** Events of one provisioning, and the number of the last one before. */
export interface NumberedEvents {
  source: EventSource;
  before: number;
  events: readonly NewEvent[];
}

/** Channel on which changed provisionings are announced; the payload is the client's id. */
export const CHANGE_CHANNEL = 'provisioning_changed';

/**
 * An INSERT into `provisioning_events` whose text is the same however many there are.
 * @param from number of the first parameter
 * @param saved a query of the ids of those provisionings whose events are wanted; all without it
 */
export function insertEvents(logs: readonly NumberedEvents[], at: Date, from: number, saved?: string): Fragment {
  const rows = logs.flatMap(({ source: { id, clientId, phase, attempt }, before, events }) =>
    events.map(({ type, message, data }, index) => {
      const of = { provisioning_id: id, client_id: clientId, phase, attempt };
      return { ...of, seq: before + index + 1, type, message, data };
    }),
  );
  const columns = 'provisioning_id, client_id, phase, attempt, seq, type, message, data';
  const text = `INSERT INTO provisioning_events (at, ${columns})
    SELECT $${from}::timestamptz, ${columns} FROM jsonb_to_recordset($${from + 1}::jsonb) AS event
      (provisioning_id uuid, client_id uuid, phase text, attempt integer, seq integer, type text, message text, data jsonb)
    ${saved ? `WHERE provisioning_id IN (${saved})` : ''}`;
  return { text, values: [at, JSON.stringify(rows)] };
}
