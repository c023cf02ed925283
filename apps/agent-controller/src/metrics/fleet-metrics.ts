import { HEALTHS } from '@agent-controller/clients';
import { PHASES } from '@agent-controller/provisioning-workflow';
import { Gauge, type Registry } from 'prom-client';
import type { DatabaseFigures, Told } from './database-figures';

const ALL = 'over all controllers of the database.';
const LABELS: Record<string, { help: string; labels: string[]; always?: readonly string[] }> = {
  provisionings: { help: `Provisionings by phase, ${ALL}`, labels: ['phase'], always: PHASES },
  provisioning_phase_age_seconds: {
    help: `How long the provisioning has been in its phase that has been there longest, of phases in which there is something to do, ${ALL}`,
    labels: ['phase'],
  },
  agents: { help: `Ready agent-managers by health, ${ALL}`, labels: ['health'], always: HEALTHS },
  agent_looks_overdue: { help: `Ready agent-managers that are due for a look, ${ALL}`, labels: [] },
  agent_look_lag_seconds: { help: `Since when the look that is due longest has been due, ${ALL}`, labels: [] },
  waiting_agent_look_lag_seconds: {
    help: `Since when the look at a server that is being installed has been due that is due longest, ${ALL}`,
    labels: [],
  },
  observer_look_age_seconds: {
    help: `Age of the last word of the provider about the booting server of which it said nothing longest, ${ALL}`,
    labels: ['provider'],
  },
  orphans: {
    help: 'Servers with our label that no row knows and nobody gave up, at the last sweep.',
    labels: ['provider'],
  },
  sweep_paused: { help: '1 while the sweep destroys nothing on its own.', labels: ['provider'] },
  sweep_age_seconds: { help: 'Since the beginning of the last full sweep.', labels: ['provider'] },
  controllers: { help: 'Controllers of the database that live, by their heartbeats.', labels: [] },
  jobs: { help: `Jobs by task and state, ${ALL}`, labels: ['task', 'state'] },
  job_oldest_due_seconds: { help: `Since when the job that is due longest has been due, ${ALL}`, labels: ['task'] },
};

/** Gauges of what all controllers share, set from the database's figures. */
export class FleetMetrics {
  readonly #gauges = new Map<string, Gauge>();
  readonly #circuit: Gauge;
  readonly #remaining: Gauge;
  readonly #limit: Gauge;
  readonly #up: Gauge;
  readonly #age: Gauge;

  constructor(
    registry: Registry,
    private readonly figures: DatabaseFigures,
  ) {
    const gauge = (name: string, help: string, labelNames: string[] = []) =>
      new Gauge({ name, help, labelNames, registers: [registry] });
    for (const [name, { help, labels }] of Object.entries(LABELS)) this.#gauges.set(name, gauge(name, help, labels));
    this.#circuit = gauge('provider_circuit_open', `1 while a provider does not answer, ${ALL}`, ['provider']);
    this.#remaining = gauge('provider_budget_remaining', `Requests that are left of an hour, ${ALL}`, ['provider']);
    this.#limit = gauge('provider_budget_limit', 'Requests of an hour.', ['provider']);
    this.#up = gauge('database_up', '1 when the database answered the last question for these metrics in time.');
    this.#age = gauge('database_figures_age_seconds', 'Age of the figures that come from the database.');
  }

  async refresh(): Promise<void> {
    const told = await this.figures.get();
    this.#up.set(this.figures.isUp ? 1 : 0);
    if (!told) return;
    this.#age.set((Date.now() - told.at) / 1000);
    this.setFigures(told);
    for (const { type: provider, circuit, budget } of told.conditions) {
      this.#circuit.set({ provider }, circuit === 'open' ? 1 : 0);
      if (!budget) continue;
      this.#remaining.set({ provider }, budget.remaining);
      this.#limit.set({ provider }, budget.limit);
    }
  }

  private setFigures({ figures }: Told): void {
    for (const [name, { labels, always = [] }] of Object.entries(LABELS)) {
      const gauge = this.#gauges.get(name);
      gauge?.reset();
      for (const value of always) gauge?.set({ [labels[0] ?? '']: value }, 0);
    }
    for (const { metric, label, label2, value } of figures) {
      const given = [label, label2];
      const labels = LABELS[metric]?.labels.map((name, index) => [name, given[index] ?? '']) ?? [];
      this.#gauges.get(metric)?.set(Object.fromEntries(labels), value);
    }
  }
}
