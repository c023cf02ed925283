/** What a caller asked for and was told. Status 0: no answer came. */
export interface OrderRecord {
  key: string | null;
  body: Record<string, unknown>;
  answers: { status: number; id?: string; apiKey?: string | null; code?: string }[];
  /** Settles with the first answer. */
  first: Promise<void>;
}

/** What callers were told in one run, to be compared with what became of it. */
export class Ledger {
  readonly orders: OrderRecord[] = [];
  readonly deletions = new Map<string, number[]>();
  readonly removedByHand: string[] = [];
  readonly problems: string[] = [];
  /** After the database was away, a controller may answer 500. */
  isDatabaseTroubled = false;

  /** Ids of the clients that callers know of. */
  knownIds(): string[] {
    const ids = this.orders.flatMap(({ answers }) => answers.flatMap(({ status, id }) => (status < 300 && id) || []));
    return [...new Set(ids)];
  }

  /** Clients that may exist though nobody was told. */
  untold(): number {
    return this.orders.reduce(
      (count, { answers }) => count + answers.filter(({ status }) => status === 0 || status >= 500).length,
      0,
    );
  }

  /** Whether the deletion was accepted, once at least. */
  isDeleted(id: string): boolean {
    return (this.deletions.get(id) ?? []).some((status) => status === 202 || status === 204);
  }

  isDeletionAsked(id: string): boolean {
    return this.deletions.has(id);
  }

  noteDeletion(id: string, status: number): void {
    this.deletions.set(id, [...(this.deletions.get(id) ?? []), status]);
  }

  /** Notes an answer that no call should get. */
  check(what: string, status: number, text: string): void {
    if (status !== 500 || this.isDatabaseTroubled) return;
    this.problems.push(`${what} was answered 500: ${text.slice(0, 300)}`);
  }

  /** What was told of the same key must be the same. */
  contradictions(): string[] {
    const problems: string[] = [];
    for (const key of new Set(this.orders.flatMap((order) => order.key ?? []))) {
      const orders = this.orders.filter((order) => order.key === key);
      const told = orders.flatMap(({ answers }) => answers.filter(({ status }) => status === 201 || status === 202));
      const ids = new Set(told.map(({ id }) => id));
      const keys = new Set(told.map(({ apiKey }) => apiKey));
      if (ids.size > 1) problems.push(`the key ${key} led to ${ids.size} clients: ${[...ids].join(', ')}`);
      if (keys.size > 1) problems.push(`the key ${key} was answered with ${keys.size} API keys`);
    }
    return problems;
  }
}
