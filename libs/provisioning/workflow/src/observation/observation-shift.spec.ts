import type { DataSource } from 'typeorm';
import type { ServerObserver } from '../server-observer';
import { ObservationShift, SHIFT_MS } from './observation-shift';

describe('ObservationShift', () => {
  let now: number;
  let pauses: number[];
  let jobs: unknown[][];
  const never = new AbortController().signal;

  beforeEach(() => {
    now = 0;
    pauses = [];
    jobs = [];
  });

  /** An observer that says, one after the other, how long to wait; then that nobody waits. */
  function run(waits: (number | null)[], stop = never, forever = false): Promise<void> {
    const rest = [...waits];
    const look = jest.fn(async () => (forever ? (waits[0] ?? null) : (rest.shift() ?? null)));
    const shift = new ObservationShift(
      { look } as unknown as ServerObserver,
      {
        manager: { query: async (_sql: string, values: unknown[]) => void jobs.push(values) },
      } as unknown as DataSource,
      { now: () => new Date(now) },
    );
    return shift.run('hetzner', stop, async (ms) => {
      pauses.push(ms);
      now += ms;
    });
  }

  it('looks again after each pause, within one job, until nobody waits', async () => {
    await run([1_000, 750, 20, null]);
    expect(pauses).toEqual([1_000, 750, 20]);
    expect(jobs).toEqual([]);
  });

  it('does nothing at all when nobody waits', async () => {
    await run([null]);
    expect([pauses, jobs]).toEqual([[], []]);
  });

  it('ends in time, and asks for the next one, of which one runs at a time', async () => {
    await run([1_000], never, true);
    expect(now).toBe(SHIFT_MS);
    expect(jobs).toEqual([expect.arrayContaining(['observe-servers:hetzner', 1_000])]);
    expect(jobs[0]?.filter((value) => value === 'observe-servers:hetzner')).toHaveLength(2);
  });

  it('does not stay for a long pause', async () => {
    await run([1_000, 60_000]);
    expect(pauses).toEqual([1_000]);
    expect(jobs).toEqual([expect.arrayContaining([60_000])]);
  });

  it('ends with the controller', async () => {
    await run([1_000], AbortSignal.abort());
    expect(pauses).toEqual([]);
    expect(jobs).toHaveLength(1);
  });
});
