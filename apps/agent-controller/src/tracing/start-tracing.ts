import { useTracer, type Logger } from '@agent-controller/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Env } from '../env';

/** What is left to send at the end has so long. */
const FLUSH_WITHIN_MS = 1_500;

/**
 * Turns tracing on where there is somewhere to send traces; otherwise nothing of it is loaded.
 * @returns to be called at the very end
 */
export async function startTracing(env: Env, logger: Logger): Promise<() => Promise<void>> {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT) return async () => undefined;
  const { createTracer } = await import('./open-telemetry.js');
  const { tracer, end } = createTracer(env, logger);
  useTracer(tracer);
  return async () => {
    useTracer(undefined);
    await Promise.race([end().catch(() => undefined), sleep(FLUSH_WITHIN_MS, undefined, { ref: false })]);
  };
}
