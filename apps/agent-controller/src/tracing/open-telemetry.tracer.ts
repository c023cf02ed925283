import type { Span, SpanAttributes, SpanOptions, Tracer } from '@agent-controller/kernel';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Span as SdkSpan,
  type SpanContext,
  type Tracer as SdkTracer,
} from '@opentelemetry/api';
import { AsyncLocalStorage } from 'node:async_hooks';

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT };

/** Spans by OpenTelemetry's SDK. What is under way follows the asynchronous calls. */
export class OpenTelemetryTracer implements Tracer {
  readonly #current = new AsyncLocalStorage<Span>();

  constructor(private readonly tracer: SdkTracer) {}

  start(name: string, { kind, parent, links = [], attributes, startedAt }: SpanOptions): Span {
    const above = parent === undefined ? this.current() : parent;
    const context = above
      ? trace.setSpanContext(ROOT_CONTEXT, contextOf(above, { isRemote: parent !== undefined }))
      : ROOT_CONTEXT;
    const options = {
      kind: kind ? KINDS[kind] : SpanKind.INTERNAL,
      attributes,
      startTime: startedAt,
      links: links.map((link) => ({ context: contextOf(link, { isRemote: true }) })),
    };
    return asSpan(this.tracer.startSpan(name, options, context));
  }

  within<T>(span: Span, work: () => T): T {
    return this.#current.run(span, work);
  }

  current(): string | undefined {
    return this.#current.getStore()?.traceParent;
  }
}

function asSpan(span: SdkSpan): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceParent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    set: (attributes: SpanAttributes) => void span.setAttributes(attributes),
    fail: (error?: unknown) => {
      const { kind, code, name } = (error ?? {}) as { kind?: unknown; code?: unknown; name?: unknown };
      const type = [kind, code, name].find((one) => typeof one === 'string') as string | undefined;
      if (type) span.setAttribute('error.type', type);
      span.setStatus({ code: SpanStatusCode.ERROR });
    },
    end: () => span.end(),
  };
}

function contextOf(traceParent: string, { isRemote }: { isRemote: boolean }): SpanContext {
  const [, traceId = '', spanId = '', flags = '00'] = traceParent.split('-');
  // Only whether it is sampled is known of the flags.
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote };
}
