import { createLogger } from '../logger';
import type { Env } from '../env';
import { createTracer } from './open-telemetry';

const ENDPOINT = 'http://127.0.0.1:9';

describe('which traces are made', () => {
  it.each([
    ['always_on', undefined, '00', '01'],
    ['always_off', undefined, '01', '00'],
    ['traceidratio', 0, '01', '00'],
    ['traceidratio', 1, '00', '01'],
    ['parentbased_always_on', undefined, '00', '00'],
    ['parentbased_always_off', undefined, '01', '01'],
    ['parentbased_traceidratio', 0, '01', '01'],
    ['parentbased_traceidratio', 0, null, '00'],
    ['parentbased_traceidratio', undefined, null, '01'],
  ] as const)('with %s and %s, where the caller says %s: %s', async (sampler, share, given, made) => {
    const { tracer, end } = createTracer(
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT,
        OTEL_TRACES_SAMPLER: sampler,
        OTEL_TRACES_SAMPLER_ARG: share,
        OTEL_SERVICE_NAME: 'test',
      } as Env,
      createLogger('fatal'),
    );
    const parent = given && `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${given}`;
    // It is not ended, so that nothing is sent.
    expect(tracer.start('one', { parent }).traceParent.slice(-2)).toBe(made);
    await end();
  });
});
