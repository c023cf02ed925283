import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Installation, type Controller } from './support/controller-process';
import { openStream, type EventStream } from './support/event-stream';
import { freePort } from './support/free-port';
import { hasPrometheus, Prometheus } from './support/prometheus';
import { provision, untilPhase } from './support/provision';
import { until } from './support/until';

const ROOT = join(__dirname, '../../..');
const ALERTS = join(ROOT, 'deploy/prometheus-alerts.yml');
/** Names that prom-client chose, and promtool objects to. */
const KNOWN_OBJECTIONS = /^nodejs_active_(handles|requests|resources)_total /;
/** As Grafana fills them in with everything chosen. */
const VARIABLES = { $job: '.+', $provider: '.+', $__rate_interval: '1m' };

interface Panel {
  title: string;
  type: string;
  targets?: { expr: string }[];
}
const { panels } = JSON.parse(readFileSync(join(ROOT, 'deploy/grafana-dashboard.json'), 'utf8')) as { panels: Panel[] };

const reason = hasPrometheus ? '' : ' (skipped: prometheus is not installed here)';

(hasPrometheus ? describe : describe.skip)(`Prometheus${reason}`, () => {
  let installation: Installation;
  let controller: Controller;
  let prometheus: Prometheus | undefined;
  let stream: EventStream | undefined;

  beforeAll(async () => {
    installation = await Installation.create();
    const port = await freePort();
    controller = await installation.startController({
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      SWEEP_INTERVAL_SECONDS: '1',
      HEALTH_CHECK_INTERVAL_SECONDS: '1',
      MAX_SERVERS: '2',
      FAILED_AUTHENTICATION_LIMIT: '1',
    });
    prometheus = await Prometheus.start(controller.url, installation.apiKey, ALERTS);
    const { body: ready } = await provision(controller.api);
    await untilPhase(controller.api, ready.id, 'ready');
    stream = await openStream(controller.api, `/api/clients/${ready.id}/provisioning/events`);
    // One that boots for as long as its provider says nothing.
    await installation.emulator.addFault({ provider: 'digitalocean', method: 'GET', path: '^/droplets', status: 503 });
    await provision(controller.api, { providerType: 'digital-ocean', serverType: 's-1vcpu-2gb' });
    expect((await provision(controller.api)).status).toBe(403);
    for (const status of [401, 429]) {
      const refused = await fetch(`${controller.url}/api/clients`, {
        headers: { authorization: 'Bearer a wrong key' },
      });
      expect(refused.status).toBe(status);
    }
  });
  afterAll(async () => {
    await stream?.abort();
    await prometheus?.stop();
    await installation.dispose();
  });

  it('has data for every question of the dashboard', async () => {
    const questions = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
    const open = new Map(
      questions.map(({ title, expr }) => [
        Object.entries(VARIABLES).reduce((text, [name, value]) => text.replaceAll(name, value), expr),
        title,
      ]),
    );
    expect(open.size).toBeGreaterThan(50);
    await until(
      async () => {
        for (const expression of [...open.keys()]) {
          if ((await prometheus!.series(expression)) > 0) open.delete(expression);
        }
        return [...open];
      },
      (missing) => missing.length === 0,
    );
  });

  it('evaluates every alerting rule, on metrics that there are', async () => {
    const written = [...readFileSync(ALERTS, 'utf8').matchAll(/^ +expr: (.+)$/gm)].map(([, expr]) => expr ?? '');
    await until(
      () => prometheus!.rules(),
      (rules) => rules.length === written.length && rules.every(({ health }) => health === 'ok'),
    );
    const known = new Set(await prometheus!.names());
    const used = written.flatMap((expr) => expr.match(/\b[a-z]+(_[a-z0-9]+)*\b(?=[{)[]| [=<>])/g) ?? []);
    expect(used.length).toBeGreaterThanOrEqual(written.length);
    const labels = new Set(['provider', 'health', 'phase', 'task', 'job']);
    expect(used.filter((name) => !known.has(name) && !labels.has(name))).toEqual([]);
  });

  it('has no objections to the metrics, nor to the rules', async () => {
    const input = await (await controller.api.open('/metrics')).text();
    const { stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
    expect(error).toBeUndefined();
    const said = `${stdout}\n${stderr}`.split('\n').filter((line) => line !== '' && !KNOWN_OBJECTIONS.test(line));
    expect(said).toEqual([]);
    const rules = spawnSync('promtool', ['check', 'rules', ALERTS], { encoding: 'utf8' });
    expect(`${rules.status} ${rules.stderr}`).toBe('0 ');
    const fired = spawnSync('promtool', ['test', 'rules', ALERTS.replace('.yml', '.test.yml')], { encoding: 'utf8' });
    expect({ status: fired.status, said: fired.stderr + fired.stdout }).toMatchObject({ status: 0 });
  });
});

it('every alert names a chapter of docs/operations.md that there is', () => {
  const chapters = [...readFileSync(join(ROOT, 'docs/operations.md'), 'utf8').matchAll(/^#+ (.+)$/gm)].map(
    ([, title]) =>
      title
        ?.toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
  );
  const named = [...readFileSync(ALERTS, 'utf8').matchAll(/runbook: docs\/operations\.md#(\S+)/g)].map(
    ([, one]) => one,
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((one) => !chapters.includes(one))).toEqual([]);
});
