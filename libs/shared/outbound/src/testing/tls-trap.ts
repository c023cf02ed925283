import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TlsOptions } from 'node:tls';

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}';

/**
 * Somebody in the middle, on 127.0.0.1: keeps every byte that arrives within the connection (or, without TLS, on the
 * wire), and answers as a healthy server would, so that whoever is fooled goes on.
 */
export class TlsTrap {
  #received = '';
  #connections = 0;
  readonly #open = new Set<Socket>();

  private constructor(private readonly server: Server | TlsServer) {}

  /** @param options null: no TLS at all */
  static async start(options: TlsOptions | null): Promise<TlsTrap> {
    const server = options ? createTlsServer(options) : createServer();
    const trap = new TlsTrap(server);
    server.on('connection', (socket: Socket) => trap.note(socket));
    server.on(options ? 'secureConnection' : 'connection', (socket: Socket) => trap.listenTo(socket));
    // Whoever does not like it breaks off.
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return trap;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** How many came, whatever they thought of it. */
  get connections(): number {
    return this.#connections;
  }

  /** What was sent to it, when all who came have gone. */
  async received(): Promise<string> {
    await Promise.all([...this.#open].map((socket) => socket.destroyed || once(socket, 'close')));
    return this.#received;
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private note(socket: Socket): void {
    this.#connections++;
    this.#open.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#open.delete(socket));
  }

  private listenTo(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      socket.end(ANSWER);
    });
  }
}

/** TLS older than 1.2, as OpenSSL speaks it only when it is told to take keys and hashes of that age. */
export const OUTDATED_TLS = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
