import { Agent, request } from 'node:http';

export interface RawCall {
  method: string;
  /** As it goes over the wire: nothing is encoded or tidied up. */
  path: string;
  headers: Record<string, string>;
  body: Buffer | null;
}

export interface RawAnswer {
  status: number;
  /** Without parameters, in lower case. */
  type: string;
  headers: Record<string, string | string[] | undefined>;
  /** Of a stream of events only what came first. */
  text: string;
}

/** One pool of connections to the controller. */
export class RawCaller {
  readonly #agent: Agent;

  constructor(
    private readonly url: string,
    connections: number,
    /** After which a call without an answer is an error. */
    private readonly limitMs: number,
  ) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** @throws Error when there is no answer */
  call({ method, path, headers, body }: RawCall): Promise<RawAnswer> {
    const { hostname, port } = new URL(this.url);
    return new Promise((resolve, reject) => {
      const call = request(
        {
          ...{ hostname, port, method, path, agent: this.#agent, signal: AbortSignal.timeout(this.limitMs) },
          headers: { ...headers, ...(body ? { 'content-length': String(body.length) } : {}) },
        },
        (response) => {
          const type = (response.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
          const chunks: Buffer[] = [];
          const done = () => {
            const text = Buffer.concat(chunks).toString();
            resolve({ status: response.statusCode ?? 0, type, headers: response.headers, text });
          };
          response.on('data', (chunk: Buffer) => {
            chunks.push(chunk);
            if (type !== 'text/event-stream') return;
            done();
            response.destroy();
          });
          response.on('end', done).on('error', reject);
        },
      );
      call.on('error', reject);
      call.end(body ?? undefined);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
