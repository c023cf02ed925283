import { Injectable } from '@nestjs/common';
import type { Phase } from '../phases';
import { BootingStep } from './booting.step';
import { CreatingServerStep } from './creating-server.step';
import { DeletingStep } from './deleting.step';
import { InstallingStep } from './installing.step';
import { ReplacingStep } from './replacing.step';
import { StartingStep } from './starting.step';
import type { Step } from './step';

/** Which step does a phase's work. */
@Injectable()
export class StepRegistry {
  readonly #steps: Partial<Record<Phase, Step>>;

  constructor(
    creating: CreatingServerStep,
    booting: BootingStep,
    installing: InstallingStep,
    starting: StartingStep,
    replacing: ReplacingStep,
    deleting: DeletingStep,
  ) {
    this.#steps = { 'creating-server': creating, booting, installing, starting, replacing, deleting };
  }

  /** @throws Error for a phase in which nothing is to do */
  find(phase: Phase): Step {
    const step = this.#steps[phase];
    if (!step) throw new Error(`The phase ${phase} has no step`);
    return step;
  }
}
