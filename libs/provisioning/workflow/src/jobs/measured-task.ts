import type { Task } from 'graphile-worker';
import { jobEnded } from '../signals';
import { HandedBack } from './hand-back';

/** A task that tells how late and how long it ran, and how it ended. */
export function measuredTask<T>(task: string, work: (payload: T, priority: number) => Promise<void>): Task {
  return async (payload, { job }) => {
    const startedAt = performance.now();
    // By two clocks: of the database, and ours.
    const lateSeconds = Math.max(0, Date.now() - job.run_at.getTime()) / 1000;
    const tell = (result: 'done' | 'failed' | 'handed-back') =>
      jobEnded.tell({ task, result, lateSeconds, seconds: (performance.now() - startedAt) / 1000 });
    try {
      await work(payload as T, job.priority);
      tell('done');
    } catch (error) {
      tell(error instanceof HandedBack ? 'handed-back' : 'failed');
      throw error;
    }
  };
}
