import { createTestDatabase, type TestDatabase } from '@agent-controller/database/testing';
import { Secret } from '@agent-controller/kernel';
import {
  agentLooked,
  filesAsked,
  jobEnded,
  phaseEnded,
  ProviderBudgets,
  providerRequestEnded,
  serversObserved,
  streamChanged,
  sweepEnded,
  waitingAgentLooked,
} from '@agent-controller/provisioning-workflow';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../database';
import { problemSent, rateRefused } from '../http/http-signals';
import { createLogger } from '../logger';
import { MetricsService } from './metrics.service';

const DOCS = readFileSync(join(__dirname, '../../../../docs/operations.md'), 'utf8');
const FOREIGN = /^(process|nodejs)_/;
/** Ours though it begins like those of prom-client. */
const OWN = 'nodejs_eventloop_utilization_ratio';

/** One of everything. */
function tellEverything(): void {
  const provider = 'hetzner' as const;
  phaseEnded.tell({ provider, phase: 'starting', to: 'ready', seconds: 12, sinceOrder: 50 });
  providerRequestEnded.tell({ provider, purpose: 'create', status: 'outcome-unknown', seconds: 30 });
  jobEnded.tell({ task: 'a-task', result: 'done', lateSeconds: 0.2, seconds: 0.1 });
  serversObserved.tell({ provider, result: 'seen', servers: 3, lateSeconds: 0.2 });
  waitingAgentLooked.tell({ phase: 'starting', result: 'over', seconds: 0.1 });
  agentLooked.tell({ result: 'healthy', seconds: 0.1 });
  sweepEnded.tell({ provider, result: 'completed' });
  filesAsked.tell({ result: 'given' });
  streamChanged.tell({ by: 1 });
  problemSent.tell({ code: 'quota-exceeded', quota: 'servers' });
  problemSent.tell({ code: 'rate-limited', quota: undefined });
  rateRefused.tell({ limit: 'caller' });
}

describe('the metrics', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let metrics: MetricsService;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await createDataSource(database.url, false, createLogger('fatal')).initialize();
  });
  beforeEach(async () => {
    const budgets = new ProviderBudgets(dataSource, createLogger('fatal'));
    for (const type of ['hetzner', 'digital-ocean'] as const) {
      await (
        await budgets.gate(type, new Secret(`token of ${type}`), { perHour: 3_600 }).admit({ purpose: 'look' })
      ).settle({
        status: 200,
      });
    }
    metrics = new MetricsService(dataSource, budgets, { aliveWithinMs: 15_000 });
    metrics.observeRequest({ method: 'GET', route: '/api/clients/:id', status: 200 }, 0.01);
    tellEverything();
  });
  afterEach(() => metrics.onApplicationShutdown());
  afterAll(async () => {
    if (dataSource.isInitialized) await dataSource.destroy();
    await database.drop();
  });

  it('are those that docs/operations.md lists, with their types and labels', async () => {
    const rows = [
      ...DOCS.matchAll(/^\| `(\w+)` +\| (gauge|counter|histogram) +\| ([\w, ]*?) *\| .*\| (all|one) +\|$/gm),
    ];
    const documented = rows.map(([, name, type, labels]) => `${name} ${type} {${labels}}`);
    const all = (await metrics.registry.getMetricsAsJSON()) as unknown as {
      name: string;
      type: string;
      help: string;
    }[];
    const ours = all
      .filter(({ name }) => name === OWN || !FOREIGN.test(name))
      .map(({ name, type }) => {
        const { labelNames } = metrics.registry.getSingleMetric(name) as unknown as { labelNames: string[] };
        return `${name} ${type} {${labelNames.filter((one) => one !== 'le').join(', ')}}`;
      });
    expect(documented.sort()).toEqual(ours.sort());
    expect(all.filter(({ help }) => help.length < 15)).toEqual([]);
  });

  it('have a value each once everything has happened', async () => {
    await dataSource.query(`SELECT graphile_worker.add_job('provisioning-step', '{}')`);
    const text = await metrics.metrics();
    expect(text).toContain('provisionings{phase="ready"} 0');
    expect(text).toContain('jobs{task="provisioning-step",state="due"} 1');
    expect(text).toMatch(/job_oldest_due_seconds\{task="provisioning-step"\} \d/);
    expect(text).toContain('database_up 1');
    expect(text).toContain('provider_budget_limit{provider="digital-ocean"} 3600');
    expect(text).toContain(
      'provider_request_duration_seconds_count{provider="hetzner",kind="create",status="outcome-unknown"} 1',
    );
    expect(text).toContain('observer_lag_seconds_bucket{le="0.25",provider="hetzner"} 1');
    expect(text).toContain('quota_refusals_total{quota="servers"} 1');
    expect(text).toContain('rate_limit_refusals_total{limit="server"} 1');
    expect(text).toContain('rate_limit_refusals_total{limit="caller"} 1');
    expect(text).toMatch(/database_pool_connections\{pool="requests",state="idle"\} [1-9]/);
    expect(text).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="\/api\/clients\/:id",status="200"\} 1/,
    );
  });

  it('cost the database two statements, however many scrape', async () => {
    const asked = jest.spyOn(dataSource, 'query');
    await Promise.all(Array.from({ length: 10 }, () => metrics.metrics()));
    await metrics.metrics();
    expect(asked).toHaveBeenCalledTimes(2);
    asked.mockRestore();
  });

  it('count what happens once more for each that listens, and nothing after the end', async () => {
    metrics.onApplicationShutdown();
    tellEverything();
    expect(await metrics.metrics()).toContain('event_streams_open 1');
  });

  it('are told without a database, with what is known', async () => {
    await dataSource.destroy();
    const text = await metrics.metrics();
    expect(text).toContain('database_up 0');
    expect(text).toContain('event_streams_open 1');
  });
});
