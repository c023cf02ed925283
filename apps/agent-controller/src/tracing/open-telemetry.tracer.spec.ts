import { traceParentOf } from '@agent-controller/kernel';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { OpenTelemetryTracer } from './open-telemetry.tracer';

const CALLER = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const OTHER = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;

describe('OpenTelemetryTracer', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = new OpenTelemetryTracer(provider.getTracer('test'));
  beforeEach(() => exporter.reset());
  afterAll(() => provider.shutdown());

  const spans = () => exporter.getFinishedSpans();

  it('begins a trace where nothing is under way', () => {
    tracer.start('alone', {}).end();
    expect(spans()[0]?.parentSpanContext).toBeUndefined();
    expect(tracer.current()).toBeUndefined();
  });

  it('goes on with the trace that it is given, and with what is under way', async () => {
    const call = tracer.start('call', { parent: CALLER, kind: 'server' });
    await tracer.within(call, async () => {
      await new Promise((done) => setImmediate(done));
      expect(tracer.current()).toBe(call.traceParent);
      tracer.start('inner', {}).end();
      tracer.start('apart', { parent: null }).end();
    });
    call.end();
    const [inner, apart, outer] = spans();
    expect(outer?.spanContext().traceId).toBe('a'.repeat(32));
    expect(outer?.parentSpanContext?.spanId).toBe('b'.repeat(16));
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(apart?.parentSpanContext).toBeUndefined();
    expect(traceParentOf(call.traceParent)).toBe(call.traceParent);
  });

  it('points to others that it is also done for', () => {
    tracer.start('look', { parent: null, links: [CALLER, OTHER] }).end();
    expect(spans()[0]?.links.map(({ context }) => context.traceId)).toEqual(['a'.repeat(32), 'c'.repeat(32)]);
  });

  it('tells the kind of an error, and not what it says', () => {
    const span = tracer.start('failing', {});
    span.fail(Object.assign(new Error('the token is s3cret'), { kind: 'auth' }));
    span.end();
    expect(spans()[0]).toMatchObject({ attributes: { 'error.type': 'auth' }, status: { code: 2 }, events: [] });
    expect(JSON.stringify([spans()[0]?.status, spans()[0]?.attributes])).not.toContain('s3cret');
  });

  it('makes no spans in traces that are not sampled', () => {
    tracer.start('unseen', { parent: CALLER.replace(/01$/, '00') }).end();
    expect(spans()).toEqual([]);
  });
});

describe('traceParentOf', () => {
  it.each([
    ['', 'nothing'],
    [CALLER.toUpperCase(), 'capitals'],
    [CALLER.replace(/^00/, 'ff'), 'the version that never is'],
    [CALLER.replace(/a/g, '0'), 'a trace of zeros'],
    [CALLER.replace(/b/g, '0'), 'a span of zeros'],
    [`${CALLER}-more`, 'more than that'],
    [[CALLER], 'a list'],
  ] as [unknown, string][])('takes no %j: %s', (header) => expect(traceParentOf(header)).toBeNull());

  it('takes what W3C Trace Context says', () => expect(traceParentOf(CALLER)).toBe(CALLER));
});
