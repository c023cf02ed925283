import { CloudProviderRegistry } from '@agent-controller/cloud-port';
import type { Logger } from '@agent-controller/kernel';
import type { Housekeeping } from './housekeeping';
import { Reconciler } from './reconciler';
import type { WorkflowOptions } from './workflow.options';

jest.mock('graphile-worker', () => ({
  makeWorkerUtils: async () => ({ cleanup: async () => undefined, release: async () => undefined }),
}));

const EVERY_MS = 5_000;

describe('Reconciler', () => {
  let beats: jest.Mock;
  let free: jest.Mock;
  let deadWorkers: jest.Mock;
  let cleanUp: jest.Mock;
  let onReturn: jest.Mock;
  let reconciler: Reconciler;

  beforeEach(() => {
    jest.useFakeTimers();
    beats = jest.fn(async () => undefined);
    free = jest.fn(async () => undefined);
    deadWorkers = jest.fn(async () => ['other']);
    cleanUp = jest.fn(async () => false);
    onReturn = jest.fn();
    const ignore = jest.fn();
    const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    const housekeeping = {
      ...{ heartbeat: beats, deadWorkers, free, forget: async () => undefined },
      ...{ wakeForgotten: async () => 0, wakeSweeps: async () => undefined, cleanUp },
    } as unknown as Housekeeping;
    const options = {
      directDatabaseUrl: 'postgres://127.0.0.1/never-connected',
      heartbeatMs: EVERY_MS,
    } as WorkflowOptions;
    reconciler = new Reconciler(housekeeping, new CloudProviderRegistry([]), options, logger);
  });
  afterEach(async () => {
    jest.useRealTimers();
    await reconciler.stop();
  });

  /** The rounds of so many intervals. */
  async function pass(intervals: number): Promise<void> {
    await jest.advanceTimersByTimeAsync(intervals * EVERY_MS);
  }

  it('judges others after three heartbeats of its own, and frees what they held', async () => {
    reconciler.start('me', onReturn);
    await pass(1);
    expect(beats).toHaveBeenCalledTimes(2);
    expect(deadWorkers).not.toHaveBeenCalled();
    await pass(1);
    expect(free).toHaveBeenCalledWith(['other']);
  });

  it('cleans up once in twelve rounds, and goes on in the next one while there is more to do', async () => {
    cleanUp.mockResolvedValueOnce(true).mockResolvedValueOnce(true);
    reconciler.start('me', onReturn);
    await pass(1);
    expect(cleanUp).toHaveBeenCalledTimes(2);
    await pass(10);
    expect(cleanUp).toHaveBeenCalledTimes(3);
    await pass(1);
    expect(cleanUp).toHaveBeenCalledTimes(4);
  });

  it('judges nobody right after trouble with the database, which made all heartbeats late', async () => {
    reconciler.start('me', onReturn);
    await pass(2);
    beats.mockRejectedValueOnce(new Error('away'));
    await pass(1);
    deadWorkers.mockClear();
    await pass(2);
    expect(deadWorkers).not.toHaveBeenCalled();
    expect(onReturn).not.toHaveBeenCalled();
    await pass(1);
    expect(deadWorkers).toHaveBeenCalledTimes(1);
  });

  it('says when the database is back after a longer time', async () => {
    reconciler.start('me', onReturn);
    await pass(1);
    beats.mockRejectedValueOnce(new Error('away')).mockRejectedValueOnce(new Error('away'));
    await pass(2);
    expect(onReturn).not.toHaveBeenCalled();
    await pass(1);
    expect(onReturn).toHaveBeenCalledTimes(1);
    await pass(2);
    expect(onReturn).toHaveBeenCalledTimes(1);
  });

  it('frees at once what an earlier worker of this process held', async () => {
    deadWorkers.mockResolvedValue([]);
    reconciler.start('me', onReturn);
    await pass(0);
    reconciler.start('me again', onReturn);
    await pass(0);
    expect(beats).toHaveBeenLastCalledWith('me again');
    expect(free).toHaveBeenCalledWith(['me']);
  });
});
