import * as fc from 'fast-check';
import { Installation } from '../support/controller-process';
import type { Stage } from './action-player';
import { actions, type Action } from './explore-action';
import { exploreRun } from './explore-run';
import { Fleet } from './fleet';

/** No sequence takes longer; from then on the time of shrinking counts. */
const FIRST_MS = 180_000;

export interface ExplorerOptions {
  firstSeed: number;
  /** How many seeds, at most. */
  runs: number;
  /** After which no further seed begins. */
  limitMs: number;
  /** Of fast-check, to go straight to a shrunk sequence. */
  path?: string;
  /** How long a failing sequence is made smaller. */
  shrinkMs: number;
  restartDatabase?: () => Promise<void>;
  withDatabase: boolean;
  log: (line: string) => void;
}

export interface ExplorerFailure {
  seed: number;
  path: string;
  actions: Action[];
  reason: string;
}

export interface ExplorerReport {
  seeds: number;
  /** Sequences that were played, those of shrinking too. */
  played: number;
  failures: ExplorerFailure[];
}

/** Plays one random sequence for each seed, on an installation that is kept until a sequence fails. */
export class Explorer {
  #stage?: Stage;
  #played = 0;

  constructor(private readonly options: ExplorerOptions) {}

  async explore(): Promise<ExplorerReport> {
    const { firstSeed, runs, limitMs, log } = this.options;
    const end = Date.now() + limitMs;
    const failures: ExplorerFailure[] = [];
    let seeds = 0;
    try {
      for (; seeds < runs && Date.now() < end; seeds++) {
        const failure = await this.trySeed(firstSeed + seeds);
        if (!failure) continue;
        failures.push(failure);
        log(`seed ${failure.seed} failed; again: --seed ${failure.seed} --path ${failure.path}`);
        log(`${failure.reason}\n${JSON.stringify(failure.actions)}`);
      }
    } finally {
      await this.clear();
    }
    return { seeds, played: this.#played, failures };
  }

  private async trySeed(seed: number): Promise<ExplorerFailure | null> {
    const { path, shrinkMs } = this.options;
    const property = fc.asyncProperty(actions(this.options), (sequence) => this.play(sequence));
    const result = await fc.check(property, {
      seed,
      path,
      numRuns: 1,
      endOnFailure: shrinkMs === 0 || path !== undefined,
      interruptAfterTimeLimit: FIRST_MS + shrinkMs,
      markInterruptAsFailure: false,
    });
    if (!result.failed) return null;
    const error = result.errorInstance as Error | null;
    return {
      seed,
      path: result.counterexamplePath ?? '',
      actions: result.counterexample?.[0] ?? [],
      reason: error?.message ?? 'unknown',
    };
  }

  private async play(sequence: Action[]): Promise<void> {
    this.#played++;
    const stage = await this.stage();
    try {
      await exploreRun(stage, sequence);
    } catch (error) {
      this.options.log(`failed: ${(error as Error).message}\n${JSON.stringify(sequence)}`);
      await this.clear();
      throw error;
    }
  }

  private async stage(): Promise<Stage> {
    if (!this.#stage) {
      const installation = await Installation.create();
      this.#stage = { installation, fleet: new Fleet(installation), restartDatabase: this.options.restartDatabase };
    }
    return this.#stage;
  }

  private async clear(): Promise<void> {
    const stage = this.#stage;
    this.#stage = undefined;
    await stage?.fleet.endAll();
    await stage?.installation.dispose();
  }
}
