import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 50;

/** Asks until the answer is as wanted. @throws Error with the last answer when that takes too long */
export async function until<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean, limitMs = 90_000): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    if (Date.now() > end) throw new Error(`Not so after ${limitMs} ms; last: ${JSON.stringify(answer)}`);
    await sleep(EVERY_MS);
  }
}
