import {
  createServer,
  request as sendRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request and its answer, without the headers: they hold tokens. Bodies are parsed JSON; undefined when empty. */
export interface HttpExchange {
  method: string;
  path: string;
  query: Record<string, string>;
  requestBody: unknown;
  status: number;
  responseBody: unknown;
}

const OF_ONE_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding'];

/** Stands between an adapter and the emulator, notes all that passes, and can lose an answer after the work was done. */
export class RecordingProxy {
  url = '';
  readonly exchanges: HttpExchange[] = [];
  readonly #server: Server;
  #loseNext: string | null = null;
  /** May answer a request itself, which then goes no further. @returns whether it did */
  intercept: (request: IncomingMessage, body: string, response: ServerResponse) => boolean = () => false;

  private constructor(private readonly target: string) {
    this.#server = createServer((request, response) => void this.pass(request, response));
    // Clients keep connections; one that ends just when it is used again would be an error of its own.
    this.#server.keepAliveTimeout = 120_000;
  }

  static async start(target: string): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    proxy.url = `http://127.0.0.1:${(proxy.#server.address() as AddressInfo).port}`;
    return proxy;
  }

  /** The next request of this method is carried out, and its answer never arrives. */
  loseNextAnswer(method: string): void {
    this.#loseNext = method;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readAll(request);
      if (this.intercept(request, body.toString(), response)) return;
      const answer = await this.forward(request, body);
      const answerBody = await readAll(answer);
      this.note(request, body, answer, answerBody);
      if (request.method === this.#loseNext) {
        this.#loseNext = null;
        response.destroy();
        return;
      }
      response.writeHead(answer.statusCode ?? 502, without(answer.headers, OF_ONE_CONNECTION)).end(answerBody);
    } catch {
      response.destroy();
    }
  }

  private forward({ method, url, headers }: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const passed = without(headers, ['host', ...OF_ONE_CONNECTION]);
      sendRequest(this.target + url, { method, headers: passed }, resolve)
        .on('error', reject)
        // An empty body would add a header that the adapter did not send.
        .end(body.length > 0 ? body : undefined);
    });
  }

  private note(request: IncomingMessage, body: Buffer, answer: IncomingMessage, answerBody: Buffer): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.target);
    this.exchanges.push({
      method: request.method ?? '',
      path: decodeURIComponent(pathname),
      query: Object.fromEntries(searchParams),
      requestBody: parse(body),
      status: answer.statusCode ?? 0,
      responseBody: parse(answerBody),
    });
  }
}

async function readAll(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function without(headers: IncomingHttpHeaders, names: readonly string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

/** What is no JSON stays text, so that a check of it fails. */
function parse(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    return body.toString();
  }
}
