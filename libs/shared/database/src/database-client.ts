import { Client, type ClientConfig } from 'pg';

/** How long a connection may take to be made, and an answer may stay away. */
export const DATABASE_PATIENCE_MS = 5_000;

type Ask = (...given: unknown[]) => unknown;

/**
 * A connection whose end never ends the process. It may break in a moment in which nobody listens to it: between being
 * made and being handed over, when the server's welcome and its farewell come in one packet. Whoever uses it hears of it
 * from the query.
 */
export class SturdyClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

/**
 * A connection that gives itself up when an answer stays away for longer than DATABASE_PATIENCE_MS: through a network
 * that swallows packets nothing would ever come. The driver's own `query_timeout` fails the query only, and would give
 * a connection back to its pool that is still busy; `statement_timeout` needs a server that answers, and a session that
 * a transaction pooler does not give.
 */
export class DatabaseClient extends SturdyClient {
  constructor(config?: string | ClientConfig) {
    super(config);
    const ask = this.query.bind(this) as Ask;
    this.query = ((...given: unknown[]) => this.watched(ask, given)) as typeof this.query;
  }

  private watched(ask: Ask, given: unknown[]): unknown {
    // With a query under way, this cuts the connection, and everything that waits for it fails.
    const timer = setTimeout(() => void this.end().catch(() => undefined), DATABASE_PATIENCE_MS);
    const last = given.at(-1);
    if (typeof last === 'function') {
      const answered = (...answer: unknown[]) => {
        clearTimeout(timer);
        return (last as Ask)(...answer);
      };
      return ask(...given.slice(0, -1), answered);
    }
    const answer = ask(...given);
    if (answer instanceof Promise) return answer.finally(() => clearTimeout(timer));
    clearTimeout(timer);
    return answer;
  }
}
