import { RecordingProxy } from '@agent-controller/cloud-port/testing';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

/** What becomes of a request: an error of this status that echoes it, or an answer that cannot be read. */
export type Trouble = 401 | 403 | 404 | 409 | 422 | 429 | 500 | 502 | 'unreadable' | 'html' | 'reset' | 'cut';

interface Order {
  method: string;
  path: RegExp;
  trouble: Trouble;
}

/** Stands between a controller and a provider, and on demand tells each secret of a request in its answer. */
export class EchoingProxy {
  readonly #orders: Order[] = [];

  private constructor(private readonly proxy: RecordingProxy) {
    proxy.intercept = (request, body, response) => this.echo(request, body, response);
  }

  static async start(target: string): Promise<EchoingProxy> {
    return new EchoingProxy(await RecordingProxy.start(target));
  }

  get url(): string {
    return this.proxy.url;
  }

  /** Troubles that no request has met yet. */
  get waiting(): number {
    return this.#orders.length;
  }

  /** For one request. */
  next(method: string, path: RegExp, trouble: Trouble): void {
    this.#orders.push({ method, path, trouble });
  }

  /** Forgets the troubles that no request has met. */
  clear(): void {
    this.#orders.length = 0;
  }

  stop(): Promise<void> {
    return this.proxy.close();
  }

  private echo({ method, url = '', headers }: IncomingMessage, body: string, response: ServerResponse): boolean {
    const [path = ''] = url.split('?');
    const index = this.#orders.findIndex((order) => order.method === method && order.path.test(path));
    if (index < 0) return false;
    const [order] = this.#orders.splice(index, 1);
    if (!order || order.trouble === 'reset') response.destroy();
    else answer(order.trouble, headers, body, response);
    return true;
  }
}

function answer(trouble: Exclude<Trouble, 'reset'>, headers: IncomingHttpHeaders, body: string, to: ServerResponse) {
  const { authorization = '' } = headers;
  const told = [authorization, ...pieces(body)].join(' | ');
  const text = JSON.stringify({
    // Hetzner's form and DigitalOcean's in one.
    error: { code: `invalid ${authorization}`, message: told, details: { fields: [{ name: told, messages: [told] }] } },
    ...{ id: `invalid ${authorization}`, message: told, request_id: authorization },
    ...{ server: { [told]: told }, droplet: { [told]: told } },
  });
  const echo = encodeURIComponent(authorization);
  to.writeHead(typeof trouble === 'number' ? trouble : { unreadable: 200, html: 502, cut: 200 }[trouble], {
    'content-type': trouble === 'html' ? 'text/html' : 'application/json',
    ...{ 'x-correlation-id': echo, 'x-request-id': authorization },
    ...(trouble === 429 ? { 'retry-after': '1' } : {}),
    ...(trouble === 'cut' ? { 'content-length': String(text.length + 10) } : {}),
  });
  if (trouble === 'cut') to.write(text, () => to.destroy());
  else to.end(trouble === 'html' ? `<html><pre>${told}\n${body}</pre></html>` : text);
}

/** What a provider could quote of an order: the surroundings of each secret, plain and encoded. */
function pieces(body: string): string[] {
  const around = [...body.matchAll(/mk[0-9a-f]{20}/g)].map(({ index }) =>
    body.slice(Math.max(0, index - 30), index + 60),
  );
  const encoded = around.map((piece) => Buffer.from(piece).toString('base64'));
  return [...around.slice(0, 4), ...encoded.slice(0, 4), encodeURIComponent(around[0] ?? ''), body.slice(0, 300)];
}
