import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

const LOOPBACK = '127.0.0.1';

/** One published port of a server's TLS proxy. */
export class ProxyListener {
  readonly #server: Server;
  #endpoint = '';
  isElsewhere = false;

  /** @throws Error when certificate and key are no pair */
  constructor(
    readonly port: number,
    { certificate, key }: { certificate: string; key: string },
    handle: RequestListener,
    isAdmitted: (from: string) => boolean = () => true,
  ) {
    this.#server = createServer({ cert: certificate, key, minVersion: 'TLSv1.2' }, handle);
    // A firewall would let nothing come back; a caller that waits for nothing is no better a test.
    this.#server.prependListener('connection', (socket: Socket) => {
      if (!isAdmitted(socket.remoteAddress ?? '')) socket.destroy();
    });
    // A caller that does not like the certificate is no trouble of ours.
    this.#server.on('tlsClientError', () => undefined);
  }

  /** Host and port. */
  get endpoint(): string {
    return this.#endpoint;
  }

  /**
   * Listens at the server's own address. Only Linux has all of 127.0.0.0/8 without configuration: elsewhere a free
   * port of 127.0.0.1 stands for it.
   * @throws Error when the port is taken
   */
  async listen(address: string): Promise<void> {
    try {
      await this.open(address, this.port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') throw error;
      await this.open(LOOPBACK, 0);
      this.isElsewhere = true;
    }
    const { address: host, port } = this.#server.address() as AddressInfo;
    this.#endpoint = `${host}:${port}`;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  private async open(host: string, port: number): Promise<void> {
    // `once` rejects on `error`.
    const listening = once(this.#server, 'listening');
    this.#server.listen(port, host);
    await listening;
  }
}
