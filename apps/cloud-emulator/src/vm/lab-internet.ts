import { createReadStream, readFileSync, statSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join, normalize } from 'node:path';
import { answerAsRegistry } from './image-registry';
import { LoopbackServer } from './loopback-server';

interface LabInternetOptions {
  lab: string;
  dockerRepository: 'up' | 'down';
  controllerUrl: () => string | null;
  emulatorUrl: () => string | null;
}

/** The hosts of the internet that one virtual machine may reach, by HTTPS under the lab's certificate authority. */
export class LabInternet extends LoopbackServer {
  constructor(private readonly options: LabInternetOptions) {
    const { lab } = options;
    const [cert, key] = ['tls.pem', 'tls.key'].map((name) => readFileSync(join(lab, name)));
    const server = createServer({ cert, key }, (request, response) => this.answer(request, response));
    // A machine that is switched off breaks its connections.
    server.on('tlsClientError', () => undefined);
    super(server);
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
        return this.forward(this.options.controllerUrl(), request, response);
      case 'keycloak.lab.example':
        return this.forward(this.options.emulatorUrl(), request, response);
      default:
        response.writeHead(421).end();
    }
  }

  /** As a TLS terminator before the service does. */
  private forward(base: string | null, request: IncomingMessage, response: ServerResponse): void {
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
