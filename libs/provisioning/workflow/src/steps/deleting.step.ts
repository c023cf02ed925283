import { Injectable } from '@nestjs/common';
import { ServerRemoval } from './server-removal';
import type { StepContext, StepResult } from './step';

/** Deletes the server until the provider confirms that it is gone; the rows go after it. */
@Injectable()
export class DeletingStep {
  constructor(private readonly removal: ServerRemoval) {}

  async run(context: StepContext): Promise<StepResult> {
    const result = await this.removal.run(context);
    return result === 'gone' ? { kind: 'gone' } : result;
  }
}
