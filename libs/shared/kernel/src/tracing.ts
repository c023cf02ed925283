/** Of spans: ids, names and numbers. Never a secret, a body, or a message that may quote one. */
export type SpanAttributes = Record<string, string | number | boolean | undefined>;

export interface SpanOptions {
  /** `server`: an answered call; `client`: a request to a provider; else work of our own. */
  kind?: 'server' | 'client';
  /** The `traceparent` under which it happens; absent: that of the work that is under way, `null`: none. */
  parent?: string | null;
  /** Further `traceparent`s that it is also done for. */
  links?: readonly string[];
  attributes?: SpanAttributes;
  /** When it began, if before now. */
  startedAt?: Date;
}

export interface Span {
  /** As in W3C Trace Context: `00-<trace>-<span>-<flags>`. */
  readonly traceParent: string;
  set(attributes: SpanAttributes): void;
  /** Marks it as failed, by the kind of the error alone: messages may quote what they were given. */
  fail(error?: unknown): void;
  end(): void;
}

/** What makes spans; the application brings it when there is somewhere to send them. */
export interface Tracer {
  start(name: string, options: SpanOptions): Span;
  /** Does the work under the span, callbacks included. */
  within<T>(span: Span, work: () => T): T;
  /** The `traceparent` of the work that is under way. */
  current(): string | undefined;
}

let tracer: Tracer | undefined;

/** Turns tracing on for this process; undefined: off, which is how it begins. */
export function useTracer(next: Tracer | undefined): void {
  tracer = next;
}

export function startSpan(name: string, options: SpanOptions = {}): Span | undefined {
  return tracer?.start(name, options);
}

/** Does the work, in a span where tracing is on. */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  if (!tracer) return work(undefined);
  const span = tracer.start(name, options);
  try {
    return await tracer.within(span, () => work(span));
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}

/** Does the work as part of a span that somebody else ends. */
export function withinSpan<T>(span: Span | undefined, work: () => T): T {
  return tracer && span ? tracer.within(span, work) : work();
}

/** To be kept with what goes on later; undefined while tracing is off, or nothing is under way. */
export function currentTraceParent(): string | undefined {
  return tracer?.current();
}

/** For log lines: from a log to its trace. */
export function traceFields(traceParent = currentTraceParent()): { trace_id?: string; span_id?: string } {
  if (!traceParent) return {};
  const [, trace_id, span_id] = traceParent.split('-');
  return { trace_id, span_id };
}

const TRACE_PARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A caller's header, as long as it is what W3C Trace Context says. */
export function traceParentOf(header: unknown): string | null {
  return typeof header === 'string' && TRACE_PARENT.test(header) ? header : null;
}
