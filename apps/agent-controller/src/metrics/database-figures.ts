import {
  PHASES,
  SETTLED_PHASES,
  WATCHED_PHASES,
  type ProviderBudgets,
  type ProviderCondition,
} from '@agent-controller/provisioning-workflow';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';

/** One value of a metric. Labels are as many as the metric has. */
export interface Figure {
  metric: string;
  label: string | null;
  label2: string | null;
  value: number;
}

/** What the database told last. */
export interface Told {
  figures: Figure[];
  conditions: ProviderCondition[];
  at: number;
}

export interface FigureOptions {
  /** A controller that was not seen for so long counts as gone. */
  aliveWithinMs: number;
}

/** Scrapes in a row are answered from memory, so that who asks in a loop does not load the database. */
const FRESH_MS = 3_000;
/** And so that the questions never take more than a twentieth of the time of one connection. */
const SHARE = 20;
/** A scrape does not wait longer: it is answered with what is known. */
const PATIENCE_MS = 1_500;

/** The figures of all controllers together: two statements, however many ask. */
export class DatabaseFigures {
  #told: Told | null = null;
  #asking: Promise<boolean> | null = null;
  #freshUntil = 0;
  #isUp = false;

  constructor(
    private readonly dataSource: Pick<DataSource, 'query'>,
    private readonly budgets: Pick<ProviderBudgets, 'conditions'>,
    private readonly options: FigureOptions,
  ) {}

  /** Whether the database answered the last question in time. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Null before the first answer. Never throws: without a database, what it told last is all that is known. */
  async get(): Promise<Told | null> {
    if (performance.now() >= this.#freshUntil) {
      this.#asking ??= this.ask().finally(() => (this.#asking = null));
      this.#isUp = await Promise.race([this.#asking, sleep(PATIENCE_MS, false, { ref: false })]);
    }
    return this.#told;
  }

  private async ask(): Promise<boolean> {
    const startedAt = performance.now();
    try {
      const [figures, conditions] = await Promise.all([
        this.dataSource.query(STATEMENT, [this.options.aliveWithinMs]) as Promise<Figure[]>,
        this.budgets.conditions(),
      ]);
      this.#told = { figures, conditions, at: Date.now() };
      this.#freshUntil = performance.now() + Math.max(FRESH_MS, SHARE * (performance.now() - startedAt));
      return true;
    } catch {
      // Nor is a database that is away asked again at once.
      this.#freshUntil = performance.now() + FRESH_MS;
      return false;
    }
  }
}

const inList = (phases: readonly string[]) => phases.map((phase) => `'${phase}'`).join(', ');
const WORKING = inList(PHASES.filter((phase) => !SETTLED_PHASES.includes(phase)));
const OVERDUE = `phase = 'ready' AND intent = 'present' AND server_status IS DISTINCT FROM 'lost'
  AND health_due_at <= now()`;
const WAITING_DUE = `phase IN (${inList(WATCHED_PHASES)}) AND intent = 'present' AND health_due_at <= now()`;
const JOB_STATE = `CASE WHEN locked_at IS NOT NULL THEN 'running' WHEN attempts >= max_attempts THEN 'exhausted'
  WHEN attempts > 0 THEN 'retrying' WHEN run_at <= now() THEN 'due' ELSE 'scheduled' END`;
const DUE = 'locked_at IS NULL AND attempts < max_attempts AND run_at <= now()';
const age = (column: string) => `extract(epoch FROM now() - ${column})::float8`;

/** The metrics are those of fleet-metrics.ts. $1: FigureOptions.aliveWithinMs. */
const STATEMENT = `
  SELECT 'provisionings' AS metric, phase AS label, NULL AS label2, count(*)::float8 AS value
  FROM provisioning_references GROUP BY phase
  UNION ALL
  SELECT 'provisioning_phase_age_seconds', phase, NULL, max(${age('phase_since')})
  FROM provisioning_references WHERE phase IN (${WORKING}) GROUP BY phase
  UNION ALL
  SELECT 'agents', health, NULL, count(*) FROM clients WHERE health IS NOT NULL GROUP BY health
  UNION ALL
  SELECT 'agent_looks_overdue', NULL, NULL, count(*) FROM provisioning_references WHERE ${OVERDUE}
  UNION ALL
  SELECT 'agent_look_lag_seconds', NULL, NULL, coalesce(max(${age('health_due_at')}), 0)
  FROM provisioning_references WHERE ${OVERDUE}
  UNION ALL
  SELECT 'waiting_agent_look_lag_seconds', NULL, NULL, coalesce(max(${age('health_due_at')}), 0)
  FROM provisioning_references WHERE ${WAITING_DUE}
  UNION ALL
  SELECT 'observer_look_age_seconds', provider_type, NULL, max(${age('GREATEST(observed_at, phase_since)')})
  FROM provisioning_references WHERE phase = 'booting' GROUP BY provider_type
  UNION ALL
  SELECT 'orphans', sweep.provider_type, NULL, count(orphan.server_id)
  FROM provider_sweeps AS sweep LEFT JOIN orphan_servers AS orphan
    ON orphan.provider_type = sweep.provider_type AND orphan.kind <> 'abandoned'
  GROUP BY sweep.provider_type
  UNION ALL
  SELECT 'sweep_paused', provider_type, NULL, (pause_reason IS NOT NULL)::integer FROM provider_sweeps
  UNION ALL
  SELECT 'sweep_age_seconds', provider_type, NULL, ${age('covered_until')}
  FROM provider_sweeps WHERE covered_until IS NOT NULL
  UNION ALL
  SELECT 'controllers', NULL, NULL, count(*)
  FROM controller_heartbeats WHERE seen_at > now() - $1 * interval '1 millisecond'
  UNION ALL
  SELECT 'jobs', task_identifier, ${JOB_STATE}, count(*) FROM graphile_worker.jobs GROUP BY 2, 3
  UNION ALL
  SELECT 'job_oldest_due_seconds', task_identifier, NULL, coalesce(max(${age('run_at')}) FILTER (WHERE ${DUE}), 0)
  FROM graphile_worker.jobs GROUP BY 2`;
