import type { Api } from '../support/api';
import type { Controller, Installation } from '../support/controller-process';

const SIZE = 3;
/** No caller of the explorer waits longer. */
const CALL_LIMIT_MS = 20_000;

/** Short, so that the work of a killed controller is soon another's, and doubt about a provider soon over. */
export const BRISK = {
  PROVIDER_TIMEOUT_SECONDS: '2',
  LEASE_SECONDS: '2',
  HEARTBEAT_SECONDS: '1',
  SWEEP_INTERVAL_SECONDS: '2',
  // A server that a person removed meanwhile is waited for in vain.
  INSTALLING_TIMEOUT_SECONDS: '40',
  STARTING_TIMEOUT_SECONDS: '40',
};

/** Three controllers of one installation, that may be killed and started. */
export class Fleet {
  readonly #slots: (Controller | null)[] = Array.from({ length: SIZE }, () => null);

  constructor(private readonly installation: Installation) {}

  /** Starts what does not run. @throws Error when one had ended by itself */
  async startAll(): Promise<void> {
    this.checkNobodyFell();
    await Promise.all(this.#slots.map((_, index) => this.start(index)));
  }

  async start(index: number): Promise<void> {
    const slot = index % SIZE;
    if (!this.#slots[slot]) this.#slots[slot] = await this.installation.startController(BRISK);
  }

  async end(index: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const slot = index % SIZE;
    const controller = this.#slots[slot];
    this.#slots[slot] = null;
    await controller?.stop(signal);
  }

  async endAll(): Promise<void> {
    await Promise.all(this.#slots.map((_, index) => this.end(index, 'SIGKILL')));
  }

  /** That controller, or the next one that runs; null when none does. */
  api(index: number): Api | null {
    for (let step = 0; step < SIZE; step++) {
      const controller = this.#slots[(index + step) % SIZE];
      if (controller?.isRunning) return controller.api.within(CALL_LIMIT_MS);
    }
    return null;
  }

  /** @throws Error with its last words */
  checkNobodyFell(): void {
    const fallen = this.#slots.find((controller) => controller && !controller.isRunning);
    if (fallen) throw new Error(`A controller ended by itself: ${fallen.log().slice(-2_000)}`);
  }

  log(): string {
    return this.#slots.map((controller) => controller?.log().slice(-3_000) ?? '(not running)').join('\n---\n');
  }
}
