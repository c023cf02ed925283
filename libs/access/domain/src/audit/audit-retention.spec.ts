import type { Logger } from '@agent-controller/kernel';
import { AuditRetention } from './audit-retention';

const HOUR_MS = 3_600_000;

describe('AuditRetention', () => {
  let asked: Date[];
  let answers: (number | Error)[];
  let lines: string[];

  beforeEach(() => {
    jest.useFakeTimers({ now: new Date('2026-11-25T12:00:00Z') });
    [asked, answers, lines] = [[], [], []];
  });
  afterEach(() => jest.useRealTimers());

  function retention(days: number | null): AuditRetention {
    const line = (_fields: object, message: string) => void lines.push(message);
    const logger = { info: line, warn: line } as unknown as Logger;
    const removeBefore = async (before: Date) => {
      asked.push(before);
      const answer = answers.shift() ?? 0;
      if (answer instanceof Error) throw answer;
      return answer;
    };
    return new AuditRetention({ removeBefore }, { now: () => new Date() }, logger, days);
  }

  it('removes once an hour, batch by batch, what is older than so many days', async () => {
    answers = [1_000, 17];
    const each = retention(90);
    each.start();
    await jest.advanceTimersByTimeAsync(HOUR_MS - 1);
    expect(asked).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(asked).toEqual(Array(3).fill(new Date('2026-08-27T13:00:00Z')));
    expect(lines).toEqual(['removed old entries of the audit trail']);
    await each.stop();
    await jest.advanceTimersByTimeAsync(10 * HOUR_MS);
    expect(asked).toHaveLength(3);
  });

  it('goes on after an error', async () => {
    answers = [new Error('away'), 1];
    const each = retention(90);
    each.start();
    await jest.advanceTimersByTimeAsync(2 * HOUR_MS);
    expect(lines).toEqual([
      'old entries of the audit trail could not be removed',
      'removed old entries of the audit trail',
    ]);
    await each.stop();
  });

  it('removes nothing where nothing was said', async () => {
    const each = retention(null);
    each.start();
    await each.enforce();
    await jest.advanceTimersByTimeAsync(10 * HOUR_MS);
    expect(asked).toEqual([]);
    await each.stop();
  });
});
