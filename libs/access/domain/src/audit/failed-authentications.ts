import type { Clock } from '@agent-controller/kernel';
import type { AuditTrail } from './audit-trail';

const WINDOW_MS = 60_000;
/** Addresses that are told apart in a window. */
const MAX_ADDRESSES = 1_000;
const OTHERS = 'others';

export interface FailedAuthentication {
  address: string;
  status: number;
  code: string;
  requestId: string;
}

interface Sum extends FailedAuthentication {
  at: Date;
  count: number;
}

/**
 * Failed authentications in the audit trail: the first of an address is written at once, those of the minute after it in
 * one line with their number. So nobody can fill the table by guessing.
 */
export class FailedAuthentications {
  readonly #sums = new Map<string, Sum>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly trail: Pick<AuditTrail, 'note'>,
    private readonly clock: Clock,
  ) {}

  note(failure: FailedAuthentication): void {
    const isNew = !this.#sums.has(failure.address);
    const address = isNew && this.#sums.size >= MAX_ADDRESSES ? OTHERS : failure.address;
    const sum = this.#sums.get(address);
    if (sum) {
      // The latest stands for all.
      this.#sums.set(address, {
        ...failure,
        address,
        at: sum.count === 0 ? this.clock.now() : sum.at,
        count: sum.count + 1,
      });
      return;
    }
    this.#sums.set(address, { ...failure, address, at: this.clock.now(), count: 0 });
    void this.trail.note(entry({ ...failure, address, at: this.clock.now(), count: 1 }));
    this.#timer ??= setTimeout(() => void this.flush(), WINDOW_MS).unref();
  }

  /** Writes what was summed up. */
  async flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const sums = [...this.#sums.values()].filter(({ count }) => count > 0);
    this.#sums.clear();
    for (const sum of sums) await this.trail.note(entry(sum));
  }
}

function entry({ at, address, status, code, requestId, count }: Sum) {
  return {
    at,
    subject: null,
    role: null,
    action: 'authentication',
    clientId: null,
    address,
    status,
    code,
    requestId,
    count,
  };
}
