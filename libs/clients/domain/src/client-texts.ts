import { toClientView } from './client.mapper';
import type { ClientRepository, ListedClient } from './client.repository';

/** About 1.4 KB each. */
const MAX_KNOWN = 4_000;

interface KnownText {
  change: string;
  createdAt: Date;
  json: string;
}

/**
 * Clients as callers see them, as JSON. Pages are asked for again and again, and most rows stay as they are: those that were
 * made into text before, and were not written since, are neither read nor made again. What is right, the database says.
 */
export class ClientTexts {
  readonly #known = new Map<string, KnownText>();

  constructor(private readonly clients: Pick<ClientRepository, 'loadListed'>) {}

  /** In this order; those that are gone by now are left out. */
  async of(listed: readonly ListedClient[]): Promise<(KnownText & { id: string })[]> {
    const found = new Map<string, KnownText>();
    for (const { id, change } of listed) {
      const known = this.#known.get(id);
      if (known?.change === change) found.set(id, known);
    }
    const missing = listed.filter(({ id }) => !found.has(id)).map(({ id }) => id);
    if (missing.length > 0) {
      for (const row of await this.clients.loadListed(missing)) {
        const { id, change, createdAt } = row;
        const text = { change, createdAt, json: JSON.stringify(toClientView(row)) };
        found.set(id, text);
        this.keep(id, text);
      }
    }
    return listed.flatMap(({ id }) => {
      const text = found.get(id);
      return text ? [{ id, ...text }] : [];
    });
  }

  private keep(id: string, text: KnownText): void {
    // The first one is the one that was made the longest ago.
    this.#known.delete(id);
    this.#known.set(id, text);
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value ?? '');
  }
}
