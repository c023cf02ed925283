import type { ProvisioningRepository } from './provisioning.repository';

/** Renews a lease while a step runs, and aborts the step when the lease is lost or the controller stops. */
export class LeaseKeeper {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #onStop = () => this.#abort.abort(new Error('The controller stops'));
  #heldUntil: number;

  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly id: string,
    private readonly owner: string,
    private readonly stop: AbortSignal,
  ) {
    this.#heldUntil = Date.now() + provisionings.leaseMs;
    if (stop.aborted) this.#onStop();
    stop.addEventListener('abort', this.#onStop, { once: true });
    this.#timer = setInterval(() => void this.renew(), provisionings.leaseMs / 3);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  release(): Promise<void> {
    clearInterval(this.#timer);
    this.stop.removeEventListener('abort', this.#onStop);
    return this.provisionings.releaseLease(this.id, this.owner);
  }

  private async renew(): Promise<void> {
    const asked = Date.now();
    try {
      if (await this.provisionings.renewLease(this.id, this.owner))
        this.#heldUntil = asked + this.provisionings.leaseMs;
      else this.#abort.abort(new Error('The lease is lost'));
    } catch {
      // The database may be back before the lease ends.
      if (Date.now() > this.#heldUntil) this.#abort.abort(new Error('The lease ended'));
    }
  }
}
