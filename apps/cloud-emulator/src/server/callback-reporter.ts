import { setTimeout as sleep } from 'node:timers/promises';
import type { Callback } from './callback-file';
import { postCallback } from './callback-post';
import type { StatusView } from './status-document';

/** `twice-and-reversed`: of two changes the later one first, and each of them twice. */
export const CALLBACK_MODES = ['deliver', 'lose', 'twice-and-reversed'] as const;
export type CallbackMode = (typeof CALLBACK_MODES)[number];

/** One attempt: the status of the answer, or why there was none. */
export interface ReportRecord {
  seq: number;
  outcome: string;
}

export interface ReporterOptions {
  mode: CallbackMode;
  log: (message: string) => void;
  /** The first pause before a retry; each next one is twice as long. */
  pauseMs?: number;
  /** Certificates besides those that Node trusts. */
  trusted?: string;
}

const PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;
// As the real report has it: nobody makes good what the last one says.
const RETRIES = { running: 4, finished: 20, failed: 20 };
/** What curl takes for worth a retry. */
const TRANSIENT = [408, 429, 500, 502, 503, 504];

/** Sends a server's status document to the controller, one change after the other, until it is refused. */
export class CallbackReporter {
  readonly records: ReportRecord[] = [];
  readonly #closing = new AbortController();
  #held: StatusView[] = [];
  #isRefused = false;
  #queue: Promise<void> = Promise.resolve();

  constructor(
    private callback: Callback,
    private readonly options: ReporterOptions,
  ) {}

  /** From now on with another token. */
  reportTo(callback: Callback): void {
    this.callback = callback;
    this.#isRefused = false;
  }

  /** Returns at once. */
  report(view: StatusView): void {
    for (const each of this.sequence(view)) this.#queue = this.#queue.then(() => this.send(each));
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#queue;
  }

  /** What is sent now that there is this change. */
  private sequence(view: StatusView): StatusView[] {
    switch (this.options.mode) {
      case 'lose':
        this.record(view, 'lost');
        return [];
      case 'twice-and-reversed': {
        this.#held.push(view);
        if (this.#held.length < 2 && view.state === 'running') return [];
        return this.#held
          .splice(0)
          .reverse()
          .flatMap((each) => [each, each]);
      }
      default:
        return [view];
    }
  }

  private async send(view: StatusView): Promise<void> {
    const { signal } = this.#closing;
    let pauseMs = this.options.pauseMs ?? PAUSE_MS;
    for (let retries = RETRIES[view.state]; retries >= 0 && !this.#isRefused && !signal.aborted; retries--) {
      const waitMs = await this.attempt(view);
      if (waitMs === null || retries === 0) return;
      await sleep(Math.min(MAX_PAUSE_MS, Math.max(pauseMs, waitMs)), undefined, { signal }).catch(() => undefined);
      pauseMs *= 2;
    }
  }

  /** @returns how long the controller asks to wait before a retry; null when there shall be none */
  private async attempt(view: StatusView): Promise<number | null> {
    const { signal } = this.#closing;
    try {
      const { trusted } = this.options;
      const { status, retryAfterSeconds } = await postCallback(this.callback, JSON.stringify(view), {
        signal,
        trusted,
      });
      this.record(view, String(status));
      if (status === 401) this.#isRefused = true;
      return TRANSIENT.includes(status) ? (retryAfterSeconds ?? 0) * 1_000 : null;
    } catch (error) {
      if (signal.aborted) return null;
      const { code, name } = error as { code?: unknown; name: string };
      this.record(view, typeof code === 'string' ? code : name);
      return 0;
    }
  }

  private record({ seq }: StatusView, outcome: string): void {
    this.records.push({ seq, outcome });
    this.options.log(`report ${seq} to the controller: ${outcome}`);
  }
}
