import { z } from 'zod';
import { storableText } from './storable-text';

/** Longest report that is taken, in bytes; servers keep theirs below it. */
export const MAX_REPORT_BYTES = 16_384;

/** So many fit into an integer of the database; a server sends some dozens. */
const MAX_SEQ = 2_147_483_647;

const time = z.iso.datetime();
const stageName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/);
// What is shown to people is one line of text.
const line = (length: number) => z.string().transform((text) => storableText(printable(text).slice(0, length)));

const schema = z.object({
  version: z.literal(1),
  seq: z.int().min(1).max(MAX_SEQ),
  state: z.enum(['running', 'failed', 'finished']),
  stage: stageName,
  since: time,
  startedAt: time,
  stages: z.array(z.object({ name: stageName, startedAt: time, endedAt: time.nullable() })).max(30),
  error: z
    .object({
      stage: stageName,
      cause: line(1_000),
      line: z.int(),
      exitCode: z.int(),
      logTail: z.array(line(500)).max(50),
    })
    .nullable(),
});

/** What a server says of its own set-up: its status document. Times are by the server's clock. */
export type ServerReport = z.infer<typeof schema>;

/** @returns null for what is not a report */
export function parseServerReport(value: unknown): ServerReport | null {
  const result = schema.safeParse(value);
  if (!result.success) return null;
  // One without the other says nothing.
  return (result.data.state === 'failed') === (result.data.error !== null) ? result.data : null;
}

/** Whether the report is news after what is known: reports come late, twice and in any order. */
export function isNewer(report: ServerReport, known: ServerReport | null): boolean {
  return known === null || report.seq > known.seq;
}

function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}
