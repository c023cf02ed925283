import {
  CloudError,
  guardedTransport,
  MAX_ANSWER_BYTES,
  OPEN_GATE,
  operationName,
  silenceOf,
  providerAgent,
  type RequestGate,
  type RequestLimits,
} from '@agent-controller/cloud-port';
import { Secret } from '@agent-controller/kernel';
import type { Agent } from 'node:https';
import { modules, type createApiClient } from 'dots-wrapper';
import { z } from 'zod';
import { pageAnswer } from './digital-ocean-answer.schemas';
import { answerOf, callError, unreadableError, type DigitalOceanCall } from './digital-ocean.errors';

export interface DigitalOceanOptions {
  token: Secret;
  /** Default: DigitalOcean's own. */
  baseUrl?: string;
  /** For one request from start to end. Default: 30 s. */
  timeoutMs?: number;
  /** Asked before every request. Default: open. */
  gate?: RequestGate;
}

/**
 * 5,000 an hour, 250 in any minute, and 10 lists of SSH keys in any minute (provider-rules.md). What may be sent at once
 * and what refills meanwhile are together the most that a minute can see.
 */
export const DIGITAL_OCEAN_LIMITS: RequestLimits = {
  perHour: 5_000,
  perMinute: { atOnce: 125, refill: 125 },
  keyListsPerMinute: { atOnce: 4, refill: 6 },
};

export type DotsWrapper = ReturnType<typeof createApiClient>;
/** What every function of dots-wrapper answers. */
interface Answer {
  data: unknown;
  status: number;
  headers: object;
}

const DEFAULT_BASE_URL = 'https://api.digitalocean.com/v2';
const DEFAULT_TIMEOUT_MS = 30_000;
/** The most that DigitalOcean gives. */
const PER_PAGE = 200;
const MAX_PAGES = 1_000;

/** Wraps every call of dots-wrapper: sent once, read by schema, and no error but CloudError gets out. */
export class DigitalOceanClient {
  readonly #token: Secret;
  readonly #connect: (maySend?: () => boolean) => DotsWrapper;
  readonly #dots: DotsWrapper;
  readonly #gate: RequestGate;

  constructor(options: DigitalOceanOptions) {
    const { token, baseUrl = DEFAULT_BASE_URL, timeoutMs = DEFAULT_TIMEOUT_MS, gate = OPEN_GATE } = options;
    this.#token = token;
    this.#gate = gate;
    const agent = providerAgent();
    this.#connect = (maySend) => createDotsWrapper({ token, endpoint: baseUrl, timeoutMs, agent, maySend });
    this.#dots = this.#connect();
  }

  /** @param send sends one HTTP request */
  async call<T>(
    call: DigitalOceanCall,
    send: (dots: DotsWrapper) => Promise<Answer>,
    schema: z.ZodType<T>,
  ): Promise<T> {
    const [method = '', path = ''] = call.name.split(' ');
    const admitted = await this.#gate.admit({ ...call, operation: operationName(method, path) });
    let response: Answer;
    try {
      response = await send(call.maySend ? this.#connect(call.maySend) : this.#dots);
    } catch (error) {
      const failure = callError(call, error, this.#token);
      await admitted.settle(answerOf(error) ?? { silence: silenceOf(failure) });
      throw failure;
    }
    await admitted.settle({ status: response.status, headers: { ...response.headers } });
    const answer = schema.safeParse(response.data);
    if (!answer.success) {
      const headers = { ...response.headers };
      throw unreadableError(call, { status: response.status, headers }, answer.error, this.#token);
    }
    return answer.data;
  }

  /** The entries of all pages, one page at a time. */
  async *list<T>(...asked: Parameters<typeof this.pages<T>>): AsyncGenerator<T> {
    for await (const page of this.pages(...asked)) yield* page;
  }

  /** One request for each; the last has no `links.pages.next`. */
  async *pages<T>(
    call: Omit<DigitalOceanCall, 'effect'>,
    send: (dots: DotsWrapper, page: { page: number; per_page: number }) => Promise<Answer>,
    key: string,
    entry: z.ZodType<T>,
  ): AsyncGenerator<T[]> {
    const schema = pageAnswer.and(z.object({ [key]: z.array(entry) })) as z.ZodType<
      z.infer<typeof pageAnswer> & Record<string, T[]>
    >;
    for (let page = 1; page <= MAX_PAGES; page++) {
      const request = { page, per_page: PER_PAGE };
      const answer = await this.call({ ...call, effect: 'read' }, (dots) => send(dots, request), schema);
      yield answer[key] ?? [];
      if (!answer.links?.pages?.next) return;
    }
    throw new CloudError('unavailable', `DigitalOcean: ${call.name} never reached a last page`);
  }
}

interface Connection {
  token: Secret;
  endpoint: string;
  timeoutMs: number;
  agent: Agent;
  /** For one order only. */
  maySend?: () => boolean;
}

/** dots-wrapper with rules for its transport that it has no options for. */
function createDotsWrapper({ token, endpoint, timeoutMs, agent, maySend }: Connection): DotsWrapper {
  const create = modules.common.createApiClient({
    modules,
    createContext: (input) => {
      const context = modules.common.createContext(input);
      // A redirect would carry the token to another place, and might repeat a POST.
      context.httpClient.defaults.maxRedirects = 0;
      context.httpClient.defaults.httpsAgent = agent;
      context.httpClient.defaults.maxContentLength = MAX_ANSWER_BYTES;
      context.httpClient.interceptors.request.use((config) => {
        // Its own time limit is about silence; this one is about the whole request.
        config.signal = AbortSignal.timeout(timeoutMs);
        if (maySend) config.transport = guardedTransport(maySend);
        return config;
      });
      return context;
    },
  });
  return create({ token: token.reveal(), endpoint, requestTimeoutInMs: timeoutMs });
}
