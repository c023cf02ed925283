import { z } from 'zod';
import { readCurlFile, type Callback } from './callback-file';
import type { WrittenFile } from './cloud-init';
import { RefusedError } from './refused.error';

export const REDEMPTION_FILE = '/opt/agent-manager/redemption.curlrc';
export const SUBJECT_FILE = '/opt/agent-manager/redemption.json';

/** Where a server fetches its secret files, and what it says of itself there. */
export interface Redemption {
  target: Callback;
  provisioningId: string;
  attempt: number;
}

const subjectSchema = z.strictObject({ provisioningId: z.uuid(), attempt: z.int().min(1) });

/** @returns null when everything is in the user data already. @throws RefusedError as `readCurlFile` does */
export function redemptionOf(files: WrittenFile[]): Redemption | null {
  const target = readCurlFile(files, REDEMPTION_FILE);
  if (!target) return null;
  const text = files.find(({ path }) => path === SUBJECT_FILE)?.content.toString('utf8') ?? '';
  return { target, ...subject(text) };
}

/** The files without those that `redeem.py` removes at its end. */
export function withoutRedemption(files: WrittenFile[]): WrittenFile[] {
  return files.filter(({ path }) => path !== REDEMPTION_FILE && path !== SUBJECT_FILE);
}

function subject(text: string): z.infer<typeof subjectSchema> {
  try {
    return subjectSchema.parse(JSON.parse(text));
  } catch {
    throw new RefusedError(`${SUBJECT_FILE} does not say whose secret files to fetch`);
  }
}
