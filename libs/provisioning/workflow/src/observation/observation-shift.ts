import type { ProviderType } from '@agent-controller/cloud-port';
import type { Clock } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { enqueueObservation } from '../jobs/job-queue';
import { ServerObserver } from '../server-observer';
import { CLOCK } from '../tokens';
import { pause } from './pause';

/** Others may take over now and then, and a job should not last. */
export const SHIFT_MS = 20_000;
/** A job that is put off is found up to a second late; for longer pauses that does not matter. */
const LONG_PAUSE_MS = 5_000;

/**
 * Looks at a provider's waiting servers, again and again within one job, as long as somebody waits. Jobs of a provider
 * are in one queue, so that one controller at a time is on duty.
 */
@Injectable()
export class ObservationShift {
  constructor(
    private readonly observer: ServerObserver,
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @param wait replaced in tests */
  async run(provider: ProviderType, stop: AbortSignal, wait = pause): Promise<void> {
    const ends = this.clock.now().getTime() + SHIFT_MS;
    for (;;) {
      const waitMs = await this.observer.look(provider);
      if (waitMs === null) return;
      const isOver = stop.aborted || this.clock.now().getTime() >= ends;
      if (isOver || waitMs > LONG_PAUSE_MS) return enqueueObservation(this.dataSource.manager, provider, waitMs);
      await wait(waitMs, stop);
    }
  }
}
