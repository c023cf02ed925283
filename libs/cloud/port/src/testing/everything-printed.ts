import { inspect } from 'node:util';

/** All that any way of logging could print of a value: used to prove that a secret is not in it. */
export function everythingPrinted(value: unknown): string {
  const parts = [inspect(value, { depth: 10, showHidden: true }), JSON.stringify(value) ?? '', String(value)];
  if (value instanceof Error) parts.push(value.message, value.stack ?? '', everythingPrinted(value.cause ?? null));
  return parts.join('\n');
}
