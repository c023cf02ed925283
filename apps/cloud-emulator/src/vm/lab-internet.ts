import { once } from 'node:events';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { answerAsRegistry } from './image-registry';

interface LabInternetOptions {
  lab: string;
  dockerRepository: 'up' | 'down';
  controllerUrl: () => string | null;
}

/** The hosts of the internet that one virtual machine may reach, by HTTPS under the lab's certificate authority. */
export class LabInternet {
  readonly #server: Server;

  constructor(private readonly options: LabInternetOptions) {
    const { lab } = options;
    const [cert, key] = ['tls.pem', 'tls.key'].map((name) => readFileSync(join(lab, name)));
    this.#server = createServer({ cert, key }, (request, response) => this.answer(request, response));
    // A machine that is switched off breaks its connections.
    this.#server.on('tlsClientError', () => undefined);
  }

  /** @returns its port on 127.0.0.1 */
  async listen(): Promise<number> {
    const listening = once(this.#server, 'listening');
    this.#server.listen(0, '127.0.0.1');
    await listening;
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = normalize(decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/'));
    const { lab, dockerRepository } = this.options;
    switch (request.headers.host?.split(':')[0]) {
      case 'registry-1.docker.io':
      case 'ghcr.io':
        return answerAsRegistry(join(lab, 'registry'), path, request, response);
      case 'download.docker.com':
        if (dockerRepository === 'down') return void response.writeHead(503).end();
        return sendFile(join(lab, 'download', path), response);
      case 'controller.lab.example':
        return this.forward(request, response);
      default:
        response.writeHead(421).end();
    }
  }

  /** As a TLS terminator before the controller does. */
  private forward(request: IncomingMessage, response: ServerResponse): void {
    const base = this.options.controllerUrl();
    if (base === null) return void response.writeHead(502).end();
    const headers = { ...request.headers, 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' };
    const onward = httpRequest(new URL(request.url ?? '/', base), { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    request.pipe(onward);
  }
}

function sendFile(file: string, response: ServerResponse): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) return void response.writeHead(404).end();
  response.writeHead(200, { 'content-length': found.size });
  createReadStream(file).pipe(response);
}
