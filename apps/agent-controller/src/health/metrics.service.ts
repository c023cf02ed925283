import { HEALTHS } from '@agent-controller/clients';
import { PHASES, ProviderBudgets } from '@agent-controller/provisioning-workflow';
import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { DataSource } from 'typeorm';

/** Prometheus metrics of this controller, and of the provisionings of its database. */
@Injectable()
export class MetricsService {
  readonly #registry = new Registry();
  readonly #requests: Histogram;

  constructor(
    private readonly dataSource: DataSource,
    private readonly budgets: ProviderBudgets,
  ) {
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Duration of HTTP requests by route.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
      registers: [this.#registry],
    });
    this.gauge('provisionings', 'Provisionings by phase, over all controllers of the database.', 'phase', (each) =>
      this.countPhases(each),
    );
    this.gauge('agents', 'Ready agent-managers by health, over all controllers of the database.', 'health', (each) =>
      this.countHealths(each),
    );
    this.registerProviders();
    this.addSweepGauges();
  }

  private addSweepGauges(): void {
    const gauge = (name: string, help: string, query: string) =>
      this.gauge(name, help, 'provider', (each) => this.setByProvider(each, query));
    const last =
      'SELECT provider_type AS provider, {value}::float8 AS value FROM provider_sweeps WHERE {value} IS NOT NULL';
    gauge(
      'orphans',
      'Servers with our label that no row knows and nobody gave up, at the last sweep.',
      `SELECT provider_sweeps.provider_type AS provider, count(orphan.server_id)::float8 AS value
       FROM provider_sweeps LEFT JOIN orphan_servers AS orphan
         ON orphan.provider_type = provider_sweeps.provider_type AND orphan.kind <> 'abandoned'
       GROUP BY provider_sweeps.provider_type`,
    );
    gauge(
      'sweep_paused',
      '1 while the sweep destroys nothing on its own.',
      last.replaceAll('{value}', '(pause_reason IS NOT NULL)::integer'),
    );
    gauge(
      'sweep_age_seconds',
      'Since the beginning of the last full sweep.',
      last.replaceAll('{value}', 'extract(epoch FROM now() - covered_until)'),
    );
  }

  /** A figure with one label, asked for whenever the metrics are. */
  private gauge(name: string, help: string, label: string, collect: (gauge: Gauge) => Promise<void>): void {
    const gauge: Gauge = new Gauge({
      ...{ name, help, labelNames: [label], registers: [this.#registry] },
      collect: (): Promise<void> => collect(gauge),
    });
  }

  private async setByProvider(gauge: Gauge, query: string): Promise<void> {
    const rows: { provider: string; value: number }[] = await this.dataSource.query(query);
    gauge.reset();
    for (const { provider, value } of rows) gauge.set({ provider }, value);
  }

  observeRequest(labels: { method: string; route: string; status: number }, seconds: number): void {
    this.#requests.observe(labels, seconds);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  metrics(): Promise<string> {
    return this.#registry.metrics();
  }

  private registerProviders(): void {
    const everywhere = 'over all controllers of the database.';
    this.gauge(
      'provider_circuit_open',
      `1 while a provider does not answer, ${everywhere}`,
      'provider',
      async (open) => {
        const conditions = await this.budgets.conditions();
        for (const { type, circuit } of conditions) open.set({ provider: type }, circuit === 'open' ? 1 : 0);
      },
    );
    this.gauge(
      'provider_budget_remaining',
      `Requests that are left of an hour, ${everywhere}`,
      'provider',
      async (left) => {
        const conditions = await this.budgets.conditions();
        for (const { type, budget } of conditions) if (budget) left.set({ provider: type }, budget.remaining);
      },
    );
    const requests: Counter = new Counter({
      name: 'provider_requests_total',
      help: 'Requests of this controller to a provider by how they ended; held-back ones were not sent.',
      labelNames: ['provider', 'outcome'],
      registers: [this.#registry],
      collect: (): void => {
        requests.reset();
        for (const { type, outcome, count } of this.budgets.counts()) requests.inc({ provider: type, outcome }, count);
      },
    });
  }

  private async countHealths(gauge: Gauge): Promise<void> {
    const rows: { health: string; count: number }[] = await this.dataSource.query(
      'SELECT health, count(*)::integer AS count FROM clients WHERE health IS NOT NULL GROUP BY health',
    );
    for (const health of HEALTHS) gauge.set({ health }, rows.find((row) => row.health === health)?.count ?? 0);
  }

  private async countPhases(gauge: Gauge): Promise<void> {
    const rows: { phase: string; count: number }[] = await this.dataSource.query(
      'SELECT phase, count(*)::integer AS count FROM provisioning_references GROUP BY phase',
    );
    for (const phase of PHASES) gauge.set({ phase }, rows.find((row) => row.phase === phase)?.count ?? 0);
  }
}
