import type { JobHelpers } from 'graphile-worker';
import { jobEnded } from '../signals';
import { HandedBack } from './hand-back';
import { measuredTask } from './measured-task';

describe('measuredTask', () => {
  const told: Parameters<typeof jobEnded.tell>[0][] = [];
  let end: () => void;
  beforeEach(() => {
    told.length = 0;
    end = jobEnded.listen((fact) => told.push(fact));
  });
  afterEach(() => end());

  const helpers = (dueMsAgo: number) => ({ job: { run_at: new Date(Date.now() - dueMsAgo) } }) as JobHelpers;
  const run = (work: () => Promise<void>, dueMsAgo = 0) =>
    measuredTask('look', work)({ provider: 'hetzner' }, helpers(dueMsAgo));

  it('tells how late it began', async () => {
    await run(async () => undefined, 5_000);
    await run(async () => undefined, -60_000);
    expect(told).toMatchObject([{ task: 'look', result: 'done' }, { lateSeconds: 0 }]);
    expect(told[0]!.lateSeconds).toBeGreaterThanOrEqual(5);
  });

  it.each([
    ['failed', new Error('no')],
    ['handed-back', new HandedBack()],
  ])('tells that it %s, and lets the error through', async (result, error) => {
    await expect(run(() => Promise.reject(error))).rejects.toBe(error);
    expect(told).toMatchObject([{ result }]);
  });
});
