import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';

/** An answer exactly as it goes over the wire. */
export interface ScriptedAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

export interface ScriptedStep {
  method: string;
  path: string;
  /** Where given, all parameters of the request, each as its text. */
  query?: Record<string, string>;
  /** Where given, the whole body as parsed JSON. */
  body?: unknown;
  /**
   * - `drop`: the request is read, then the connection ends without an answer.
   * - `cut`: the answer ends in the middle.
   * - `hang`: nothing ever comes.
   * - `drip`: something always comes, and never an end.
   */
  answer: ScriptedAnswer | 'drop' | 'cut' | 'hang' | 'drip';
}

export interface SeenRequest {
  method: string;
  path: string;
  /** Path and query as they came: several values of one parameter show here only. */
  url: string;
  query: Record<string, string>;
  headers: Record<string, string | string[] | undefined>;
  body: unknown;
}

/** An answer of JSON. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): ScriptedAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

/** A real HTTP server that expects exactly the requests of its script, in order, and answers what the script says. */
export class ScriptedHttp {
  /** Where it listens, or, after `close`, where nobody does. */
  url = '';
  readonly requests: SeenRequest[] = [];
  readonly #deviations: string[] = [];
  readonly #steps: ScriptedStep[];
  readonly #server: Server;
  #used = 0;

  private constructor(steps: readonly ScriptedStep[]) {
    this.#steps = [...steps];
    this.#server = createServer((request, response) => void this.serve(request, response));
  }

  static async start(steps: readonly ScriptedStep[]): Promise<ScriptedHttp> {
    const scripted = new ScriptedHttp(steps);
    await new Promise<void>((resolve) => scripted.#server.listen(0, '127.0.0.1', resolve));
    scripted.url = `http://127.0.0.1:${(scripted.#server.address() as AddressInfo).port}`;
    return scripted;
  }

  /** @throws when a request deviated from the script, or when a part of the script was not asked for */
  done(): void {
    const unused = this.#steps.slice(this.#used).map(({ method, path }) => `never asked: ${method} ${path}`);
    const problems = [...this.#deviations, ...unused];
    if (problems.length > 0) throw new Error(`The script was not followed:\n${problems.join('\n')}`);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = await readRequest(request);
    this.requests.push(seen);
    const step = this.#steps[this.#used++];
    const deviation = step ? deviationOf(step, seen) : 'nothing more was expected';
    if (!step || deviation) {
      this.#deviations.push(`request ${this.requests.length}, ${seen.method} ${seen.path}: ${deviation}`);
      response.writeHead(418).end();
      return;
    }
    reply(response, step.answer);
  }
}

function reply(response: ServerResponse, answer: ScriptedStep['answer']): void {
  if (answer === 'hang') return;
  if (answer === 'drop') {
    response.destroy();
    return;
  }
  if (answer === 'cut') {
    response.writeHead(201, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"server":', () => response.destroy());
    return;
  }
  if (answer === 'drip') {
    response.writeHead(200, { 'content-type': 'application/json' });
    const drops = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(drops));
    return;
  }
  response.writeHead(answer.status, answer.headers).end(answer.body);
}

async function readRequest(request: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  return {
    method: request.method ?? '',
    path: pathname,
    url: request.url ?? '',
    query: Object.fromEntries(searchParams),
    headers: request.headers,
    body: text === '' ? undefined : (JSON.parse(text) as unknown),
  };
}

function deviationOf(step: ScriptedStep, seen: SeenRequest): string | null {
  if (step.method !== seen.method || step.path !== seen.path) return `expected ${step.method} ${step.path}`;
  if (step.query && !isDeepStrictEqual(step.query, seen.query)) return differs('query', step.query, seen.query);
  if (step.body !== undefined && !isDeepStrictEqual(step.body, seen.body)) return differs('body', step.body, seen.body);
  return null;
}

function differs(what: string, expected: unknown, actual: unknown): string {
  return `${what} differs: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`;
}
