import type { Logger } from '@agent-controller/kernel';
import type { MetricsService } from '../metrics/metrics.service';

/** A call that was answered. */
export interface AnsweredCall {
  requestId: string;
  method: string;
  /** Its pattern, of which there are few. */
  route: string;
  /** Without what follows a `?`, which may hold secrets. */
  path: string;
  status: number;
  ms: number;
}

/** What is told of each: a metric and a line of the log, with more fields where there are some. */
export type CallRecord = (call: AnsweredCall, more?: object) => void;

export function callRecord(metrics: Pick<MetricsService, 'observeRequest'>, logger: Pick<Logger, 'info'>): CallRecord {
  return ({ requestId, method, route, path, status, ms }, more) => {
    metrics.observeRequest({ method, route, status }, ms / 1000);
    const line = { requestId, method, path, status, ms: Math.round(ms) };
    logger.info(more ? { ...line, ...more } : line, 'request');
  };
}
