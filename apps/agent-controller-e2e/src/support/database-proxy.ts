import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * The network between a controller and its database.
 * - `pass`: as if it were not there.
 * - `refuse`: new connections end at once.
 * - `stall`: nothing goes through, in neither direction, and nobody is told.
 */
type Mode = 'pass' | 'refuse' | 'stall';

/** A connection and its other half. */
type Pair = readonly [Socket, Socket];

export class DatabaseProxy {
  readonly #pairs = new Set<Pair>();
  #mode: Mode = 'pass';

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (socket) => this.take(socket));
  }

  static async start(databaseUrl: string): Promise<DatabaseProxy> {
    const server = createServer();
    const proxy = new DatabaseProxy(server, new URL(databaseUrl));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  /** The database as it is reached through here. */
  get url(): string {
    const url = new URL(this.target);
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  /** Ends all connections; new ones are taken. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  refuse(): void {
    this.#mode = 'refuse';
    this.cut();
  }

  stall(): void {
    this.#mode = 'stall';
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** What was held back by `stall` arrives now, late. */
  pass(): void {
    this.#mode = 'pass';
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((done) => this.server.close(done));
  }

  private take(client: Socket): void {
    if (this.#mode === 'refuse') {
      client.destroy();
      return;
    }
    const database = connect(Number(this.target.port), this.target.hostname);
    const pair: Pair = [client, database];
    this.#pairs.add(pair);
    client.on('data', (chunk) => database.write(chunk));
    database.on('data', (chunk) => client.write(chunk));
    for (const [one, other] of [pair, [database, client]] as const) {
      one.on('error', () => one.destroy());
      one.on('close', () => {
        other.destroy();
        this.#pairs.delete(pair);
      });
    }
    if (this.#mode === 'stall') for (const socket of pair) socket.pause();
  }
}
