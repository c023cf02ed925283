import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A server on a free port of 127.0.0.1, for what a virtual machine reaches through QEMU's network. */
export class LoopbackServer {
  constructor(private readonly server: Server | TlsServer) {}

  /** @returns its port */
  async listen(): Promise<number> {
    const listening = once(this.server, 'listening');
    this.server.listen(0, '127.0.0.1');
    await listening;
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
