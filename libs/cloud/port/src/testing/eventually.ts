import { setTimeout as pause } from 'node:timers/promises';

const EVERY_MS = 50;
const AT_MOST_MS = 20_000;

/** Asks until the answer is neither false nor null nor undefined. @throws when that takes longer than 20 s */
export async function eventually<T>(ask: () => Promise<T | false | null | undefined>): Promise<T> {
  const end = Date.now() + AT_MOST_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`Not within ${AT_MOST_MS} ms: ${ask.toString().slice(0, 200)}`);
    await pause(EVERY_MS);
  }
}
