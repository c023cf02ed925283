import type { Logger } from '@agent-controller/kernel';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type Sampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import { randomUUID } from 'node:crypto';
import type { Env } from '../env';
import { OpenTelemetryTracer } from './open-telemetry.tracer';

/** Of a collector that is away, the log says so only now and then. */
const SAY_AGAIN_MS = 60_000;
const SEND_EVERY_MS = 1_000;
/** With its repetitions. */
const SEND_WITHIN_MS = 5_000;

/** Makes and sends spans. @returns the tracer, and what sends the rest at the end */
export function createTracer(env: Env, logger: Logger): { tracer: OpenTelemetryTracer; end: () => Promise<void> } {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': env.OTEL_SERVICE_NAME, 'service.instance.id': randomUUID() }),
    sampler: samplerOf(env),
    spanProcessors: [new BatchSpanProcessor(exporterOf(env, logger), { scheduledDelayMillis: SEND_EVERY_MS })],
  });
  return {
    tracer: new OpenTelemetryTracer(provider.getTracer('agent-controller')),
    end: () => provider.shutdown(),
  };
}

function samplerOf({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio = 1 }: Env): Sampler {
  const root = name.endsWith('traceidratio')
    ? new TraceIdRatioBasedSampler(ratio)
    : name.endsWith('always_off')
      ? new AlwaysOffSampler()
      : new AlwaysOnSampler();
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

/** NAME=VALUE, separated by commas; values may be percent-encoded, as OpenTelemetry says. */
function headersOf({ OTEL_EXPORTER_OTLP_HEADERS: given }: Env): Record<string, string> {
  const pairs = given?.reveal().split(',') ?? [];
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', ...value] = pair.trim().split('=');
      return [name, decodeURIComponent(value.join('='))];
    }),
  );
}

/** Spans that cannot be sent are dropped: the controller does not wait for whoever collects them. */
function exporterOf(env: Env, logger: Logger): SpanExporter {
  const url = `${env.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, headers: headersOf(env), timeoutMillis: SEND_WITHIN_MS });
  let saidAt = -Infinity;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const isDue = performance.now() - saidAt >= SAY_AGAIN_MS;
        if (result.error && isDue) {
          saidAt = performance.now();
          // Its message may quote the collector's answer, and that what it was sent.
          const { name, code } = result.error as Error & { code?: unknown };
          logger.warn({ spans: spans.length, error: name, code }, 'traces could not be sent; they are dropped');
        }
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
}
