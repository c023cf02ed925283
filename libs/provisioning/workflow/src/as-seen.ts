/** What a statement calls the parts of a row as it was seen. */
export type SeenParts = Record<'version' | 'nudges' | 'seq' | 'intent' | 'pausedMs' | 'reportSeq', string>;

/**
 * A condition in SQL: the row is as it was seen. Everything that others write without a lease is part of it: where it has
 * changed, what the row led to must be made anew.
 */
export function asSeen(row: string, { version, nudges, seq, intent, pausedMs, reportSeq }: SeenParts): string {
  return `${row}.version = ${version} AND ${row}.nudges = ${nudges} AND ${row}.last_event_seq = ${seq}
          AND ${row}.intent = ${intent} AND ${row}.paused_ms = ${pausedMs}
          AND (${row}.report ->> 'seq')::bigint IS NOT DISTINCT FROM ${reportSeq}::bigint`;
}
