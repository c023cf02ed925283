import type { Logger } from '@agent-controller/kernel';
import type { CatalogueAnswers, PreparedAnswer } from '@agent-controller/provisioning-feature';
import type { FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { rateHeaders, type AccessHook } from '../authentication/access.hook';
import type { CallRecord } from './call-record';
import { ANSWER } from './security-headers';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

export interface ShortWayOptions {
  answers: Pick<CatalogueAnswers, 'atOnce'>;
  access: Pick<AccessHook, 'admitReader'>;
  logger: Pick<Logger, 'error'>;
  record: CallRecord;
  /** Headers with which a call says something that the usual way has to know. */
  telling?: readonly string[];
}

const TELLING = ['origin', 'if-none-match', 'expect', 'upgrade', 'content-length', 'transfer-encoding'];

/**
 * Answers calls for what is prepared as bytes before Fastify and Nest take them apart, which costs more than all that is
 * to be done for them. Only where the usual way would answer the same: anything out of the ordinary goes there.
 */
export function openShortWay(fastify: FastifyInstance, options: ShortWayOptions): void {
  const { server } = fastify;
  const usual = server.listeners('request') as Listener[];
  const way = new ShortWay(options);
  // Who closes tells callers so.
  fastify.addHook('preClose', (done) => {
    way.isOpen = false;
    done();
  });
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    try {
      if (way.answer(request, response)) return;
    } catch (error) {
      // Nobody behind a listener of Node's catches it.
      options.logger.error({ err: error }, 'a call could not be answered by the short way');
      if (response.headersSent) return void response.destroy();
    }
    for (const listener of usual) listener.call(server, request, response);
  });
}

class ShortWay {
  isOpen = true;
  readonly #telling: readonly string[];
  readonly #headers = new WeakMap<PreparedAnswer, readonly string[]>();

  constructor(private readonly options: ShortWayOptions) {
    this.#telling = [...TELLING, ...(options.telling ?? [])];
  }

  /** @returns false when nothing was done */
  answer({ method, url = '', headers, httpVersion }: IncomingMessage, response: ServerResponse): boolean {
    if (!this.isOpen || method !== 'GET' || httpVersion !== '1.1') return false;
    const began = performance.now();
    const found = this.options.answers.atOnce(url);
    if (!found) return false;
    for (const name of this.#telling) if (headers[name] !== undefined) return false;
    const verdict = this.options.access.admitReader(headers.authorization);
    if (!verdict) return false;
    const all = this.headersOf(found.answer).slice();
    if (verdict.limit > 0) {
      const rate = rateHeaders(verdict);
      for (const name in rate) all.push(name, rate[name] ?? '');
    }
    response.writeHead(200, all);
    send(response, found.answer);
    const ms = performance.now() - began;
    this.options.record({ requestId: randomUUID(), method, route: found.route, path: url, status: 200, ms });
    return true;
  }

  private headersOf(answer: PreparedAnswer): readonly string[] {
    const known = this.#headers.get(answer);
    if (known) return known;
    const all = { ...ANSWER, ...answer.headers, 'content-length': String(answer.bytes) };
    const headers = Object.entries(all).flat();
    this.#headers.set(answer, headers);
    return headers;
  }
}

/**
 * `end` with a text is two pieces for the kernel, the second one empty, gathered by a call that costs more than sending one.
 */
function send(response: ServerResponse, { body, encoding }: PreparedAnswer): void {
  const { socket } = response;
  socket?.cork();
  response.write(body, encoding);
  socket?.uncork();
  response.end();
}
