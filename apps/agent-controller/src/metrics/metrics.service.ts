import type { ProviderBudgets } from '@agent-controller/provisioning-workflow';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { DatabaseFigures, type FigureOptions } from './database-figures';
import { FleetMetrics } from './fleet-metrics';
import { HttpMetrics } from './http-metrics';
import { addProcessMetrics } from './process-metrics';
import { WorkMetrics } from './work-metrics';

/** Prometheus metrics of this controller, and of the provisionings of its database: docs/operations.md lists them. */
export class MetricsService implements OnApplicationShutdown {
  readonly #registry = new Registry();
  readonly #fleet: FleetMetrics;
  readonly #http: HttpMetrics;
  readonly #ends: (() => void)[];

  constructor(dataSource: DataSource, budgets: ProviderBudgets, options: FigureOptions) {
    addProcessMetrics(this.#registry, dataSource);
    this.#fleet = new FleetMetrics(this.#registry, new DatabaseFigures(dataSource, budgets, options));
    this.#http = new HttpMetrics(this.#registry);
    this.#ends = [...this.#http.listen(), ...new WorkMetrics(this.#registry, budgets).listen()];
  }

  get registry(): Registry {
    return this.#registry;
  }

  observeRequest(labels: { method: string; route: string; status: number }, seconds: number): void {
    this.#http.observe(labels, seconds);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async metrics(): Promise<string> {
    await this.#fleet.refresh();
    return this.#registry.metrics();
  }

  onApplicationShutdown(): void {
    for (const end of this.#ends) end();
  }
}
