import type { Caller } from '@agent-controller/kernel';
import { Injectable } from '@nestjs/common';
import { ChangeWatcher } from './change-watcher';
import { EventLog } from './event-log';
import { ProvisioningEvent } from './provisioning-event.entity';
import { ProvisioningRepository } from './provisioning.repository';
import { ProvisioningService } from './provisioning.service';

/** Waiting for what happens, on whichever controller it happens. */
@Injectable()
export class ProvisioningWatchService {
  constructor(
    private readonly watcher: ChangeWatcher,
    private readonly provisioning: ProvisioningService,
    private readonly provisionings: ProvisioningRepository,
    private readonly eventLog: EventLog,
  ) {}

  /** Waits until it is ready, failed or gone, or `signal` aborts. @returns whether that is so */
  waitUntilSettled(clientId: string, signal: AbortSignal): Promise<boolean> {
    return this.waitFor(clientId, signal, async () => {
      const row = await this.provisionings.findByClient(clientId);
      if (!row) return true;
      // A present failure of a deletion is settled as well; ready, when deletion was asked for, is not.
      return row.phase === 'failed' || (row.phase === 'ready' && row.intent === 'present');
    });
  }

  /** @throws AppError `client-not-found`, when neither the rows nor a tombstone exist */
  async events(clientId: string, caller: Caller, afterSeq: number): Promise<ProvisioningEvent[]> {
    await this.assertVisible(clientId, caller);
    return this.eventLog.since(clientId, afterSeq);
  }

  /** Whether the log has ended and holds nothing after the given number. */
  async isOver(clientId: string, caller: Caller, afterSeq: number): Promise<boolean> {
    // In this order: what was buried has its last event.
    const isBuried = await this.provisioning.isBuried(clientId, caller);
    return isBuried && (await this.eventLog.since(clientId, afterSeq, 1)).length === 0;
  }

  /** The log from `afterSeq` on and as it grows, until it ends with `deleted` or `signal` aborts. */
  async *follow(clientId: string, afterSeq: number, signal: AbortSignal): AsyncIterable<ProvisioningEvent[]> {
    let seen = afterSeq;
    while (!signal.aborted) {
      let batch: ProvisioningEvent[] = [];
      await this.waitFor(clientId, signal, async () => {
        batch = await this.eventLog.since(clientId, seen);
        return batch.length > 0;
      });
      if (batch.length === 0) return;
      yield batch;
      const last = batch[batch.length - 1];
      seen = last?.seq ?? seen;
      if (last?.type === 'deleted') return;
    }
  }

  async assertVisible(clientId: string, caller: Caller): Promise<void> {
    if (await this.provisioning.isBuried(clientId, caller)) return;
    await this.provisioning.find(clientId, caller);
  }

  private async waitFor(clientId: string, signal: AbortSignal, isSo: () => Promise<boolean>): Promise<boolean> {
    let wake: () => void = () => undefined;
    let woken = false;
    const onChange = () => {
      woken = true;
      wake();
    };
    // Subscribed before the first look, so that no change falls between.
    const unsubscribe = this.watcher.subscribe(clientId, onChange);
    signal.addEventListener('abort', onChange, { once: true });
    try {
      for (;;) {
        woken = false;
        if (await isSo()) return true;
        if (signal.aborted) return false;
        if (!woken) await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', onChange);
    }
  }
}
