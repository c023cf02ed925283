import { Injectable, type OnModuleDestroy } from '@nestjs/common';

/** Aborts when the controller stops, so that waiting calls still get an answer. */
@Injectable()
export class ShutdownSignal implements OnModuleDestroy {
  readonly #abort = new AbortController();

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  onModuleDestroy(): void {
    this.#abort.abort();
  }
}
