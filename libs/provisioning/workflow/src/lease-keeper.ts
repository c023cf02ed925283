import { stopwatch } from './elapsed';
import type { ProvisioningRepository } from './provisioning.repository';

/** Renews a lease while a step runs, and aborts the step when the lease is lost or the controller stops. */
export class LeaseKeeper {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #onStop = () => this.#abort.abort(new Error('The controller stops'));
  #sinceRenewal: () => number;
  #hasOrdered = false;

  /** @param sinceAsked begun before the lease was asked for, so that it never ends later here than in the database */
  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly id: string,
    private readonly owner: string,
    private readonly stop: AbortSignal,
    sinceAsked: () => number,
  ) {
    this.#sinceRenewal = sinceAsked;
    if (stop.aborted) this.#onStop();
    stop.addEventListener('abort', this.#onStop, { once: true });
    this.#timer = setInterval(() => void this.renew(), provisionings.leaseMs / 3);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether a create was announced: its server may come into being whatever becomes of the step. */
  get hasOrdered(): boolean {
    return this.#hasOrdered;
  }

  /** The lease may be over, also when nobody has noticed: no timer runs in a frozen process. */
  get isOver(): boolean {
    return this.#sinceRenewal() >= this.provisionings.leaseMs;
  }

  /** A create was announced, which renewed the lease. @returns whether the create may still be sent */
  ordered(sinceAsked: () => number): () => boolean {
    this.#hasOrdered = true;
    this.#sinceRenewal = sinceAsked;
    const { leaseMs } = this.provisionings;
    return () => sinceAsked() < leaseMs;
  }

  /** No more renewals; the lease ends by itself. */
  leave(): void {
    clearInterval(this.#timer);
    this.stop.removeEventListener('abort', this.#onStop);
  }

  release(): Promise<void> {
    this.leave();
    return this.provisionings.releaseLease(this.id, this.owner);
  }

  private async renew(): Promise<void> {
    const sinceAsked = stopwatch();
    try {
      if (await this.provisionings.renewLease(this.id, this.owner)) this.#sinceRenewal = sinceAsked;
      else this.#abort.abort(new Error('The lease is lost'));
    } catch {
      // The database may be back before the lease ends.
      if (this.isOver) this.#abort.abort(new Error('The lease ended'));
    }
  }
}
