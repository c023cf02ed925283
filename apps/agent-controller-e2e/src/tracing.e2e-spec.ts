import { randomBytes } from 'node:crypto';
import { Installation, type Controller } from './support/controller-process';
import { provision, untilPhase } from './support/provision';
import { SpanReceiver, type ReceivedSpan } from './support/span-receiver';
import { until } from './support/until';

const MARKERS = ['gitToken', 'cursorApiKey', 'apiKey'].map(
  (name) => [name, `marker-${name}-0123456789abcdef`] as const,
);

describe('traces, with two controllers', () => {
  let receiver: SpanReceiver;
  let installation: Installation;
  let controllers: Controller[];
  let callerTrace: string;
  let callerSpan: string;

  beforeAll(async () => {
    receiver = await SpanReceiver.start();
    installation = await Installation.create();
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=a%20key',
    };
    controllers = await Promise.all([0, 1].map(() => installation.startController(environment)));
  });
  beforeEach(() => {
    callerTrace = randomBytes(16).toString('hex');
    callerSpan = randomBytes(8).toString('hex');
  });
  afterAll(async () => {
    await installation.dispose();
    await receiver.stop();
  });

  const api = (index = 0) => controllers[index]!.api;
  const traceparent = () => `00-${callerTrace}-${callerSpan}-01`;
  const named = (name: string) => receiver.trace(callerTrace).filter((span) => span.name === name);

  /** Which spans have no parent among those that came, but for the caller's own. */
  const loose = (spans: ReceivedSpan[]) =>
    spans.filter(({ parentSpanId }) => !spans.some(({ spanId }) => spanId === parentSpanId));

  it('lead from the call over its steps, on whichever controller, to the requests at the provider', async () => {
    const { body } = await provision(
      api(),
      { ...Object.fromEntries(MARKERS), gitRepositoryUrl: 'https://git.example.com/agents.git' },
      { traceparent: traceparent() },
    );
    await untilPhase(api(1), body.id, 'ready');
    const steps = ['creating-server', 'booting', 'installing', 'starting'].map((phase) => `step ${phase}`);
    await until(
      async () => steps.filter((name) => named(name).length === 0),
      (missing) => missing.length === 0,
    );

    const [call] = named('POST /api/clients/provisioning/provision');
    expect(call).toMatchObject({ parentSpanId: callerSpan });
    expect(call!.attributes).toMatchObject({ 'http.response.status_code': 202 });
    for (const step of steps.flatMap(named)) expect(step.parentSpanId).toBe(call!.spanId);
    const [order] = named('hetzner POST /servers');
    expect(order!.parentSpanId).toBe(named('step creating-server')[0]!.spanId);
    expect(order!.attributes).toMatchObject({ 'provider.purpose': 'create', 'provider.status': '201' });
    // A span is sent when it ends, so what is within it may come before it.
    await until(
      async () => loose(receiver.trace(callerTrace)).filter(({ parentSpanId }) => parentSpanId !== callerSpan),
      (spans) => spans.length === 0,
    );
    // What is done for all who wait belongs to none, and points to them.
    const looks = receiver.spans.filter(({ name }) => name === 'look at waiting servers');
    expect(looks.some(({ traceId, links }) => traceId !== callerTrace && links.includes(callerTrace))).toBe(true);

    expect(receiver.headers[0]).toMatchObject({ 'x-collector-key': 'a key' });
    await controllers[0]!.untilLogged(new RegExp(`"trace_id":"${callerTrace}".*"msg":"request"`));
    const secrets = [...MARKERS.map(([, value]) => value), installation.token, installation.apiKey];
    for (const secret of secrets) expect(receiver.text).not.toContain(secret);
    expect(receiver.text).toContain(body.id);
  });

  it('of a deletion are those of its call', async () => {
    const { body } = await provision(api());
    await untilPhase(api(), body.id, 'ready');
    await api(1).delete(`/api/clients/${body.id}/provisioning`, { traceparent: traceparent(), prefer: 'wait=60' });
    const [call] = await until(
      async () => named('DELETE /api/clients/:id/provisioning'),
      (spans) => spans.length > 0,
    );
    expect(call!.attributes).toMatchObject({ 'client.id': body.id, 'http.response.status_code': 204 });
    const steps = await until(
      async () => named('step deleting'),
      (spans) => spans.length > 0,
    );
    expect(steps[0]!.parentSpanId).toBe(call!.spanId);
  });

  /** Until a trace that began later was received: what came before it was as well. */
  const untilSent = async () => {
    const own = randomBytes(16).toString('hex');
    await api().get('/api/clients', { traceparent: `00-${own}-${callerSpan}-01` });
    await until(
      async () => receiver.trace(own),
      (spans) => spans.length > 0,
    );
  };

  it('are not made by strangers, nor taken from whoever is not allowed to bring them', async () => {
    await fetch(`${api().url}/api/clients`, { headers: { traceparent: traceparent() } });
    await fetch(`${api().url}/api/health`, { headers: { traceparent: traceparent() } });
    await untilSent();
    expect(receiver.trace(callerTrace)).toEqual([]);
  });

  it('follow what the caller says about sampling, and take nothing that is no traceparent', async () => {
    await api().get('/api/clients', { traceparent: `00-${callerTrace}-${callerSpan}-00` });
    await api().get('/api/clients', { traceparent: `00-${callerTrace}-${'0'.repeat(16)}-01` });
    await untilSent();
    expect(receiver.trace(callerTrace)).toEqual([]);
  });

  it('that are left at the end are sent, and a collector that is away holds nothing up', async () => {
    const controller = await installation.startController({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    await controller.api.get('/api/clients', { traceparent: traceparent() });
    expect(await controller.terminate(10_000)).toBe(0);
    expect(receiver.trace(callerTrace)).toHaveLength(1);

    const alone = await installation.startController({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    expect((await alone.api.get('/api/clients', { traceparent: traceparent() })).status).toBe(200);
    await alone.untilLogged('traces could not be sent');
    expect(await alone.terminate(10_000)).toBe(0);
  });
});
