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
import type { AxiosInstance, AxiosResponse } from 'axios';
import { Client } from 'hcloud-js';
import { z } from 'zod';
import { pageAnswer } from './hetzner-answer.schemas';
import { answeredError, networkError, unreadableError, type HetznerRequest } from './hetzner.errors';

export interface HetznerOptions {
  token: Secret;
  /** Default: Hetzner's own. */
  baseUrl?: string;
  /** For one request from start to end. Default: 30 s. */
  timeoutMs?: number;
  /** Asked before every request. Default: open. */
  gate?: RequestGate;
}

/** As documented, and seen in its headers: what is left refills by one a second (provider-rules.md). */
export const HETZNER_LIMITS: RequestLimits = { perHour: 3_600 };

const DEFAULT_BASE_URL = 'https://api.hetzner.cloud/v1';
const DEFAULT_TIMEOUT_MS = 30_000;
/** The most that Hetzner gives. */
const PER_PAGE = 50;
const MAX_PAGES = 1_000;

/** Sends requests over hcloud-js' transport, once each, and reads the answers by schema. Throws CloudError only. */
export class HetznerClient {
  readonly #token: Secret;
  readonly #http: AxiosInstance;
  readonly #timeoutMs: number;
  readonly #gate: RequestGate;

  constructor(options: HetznerOptions) {
    const { token, baseUrl = DEFAULT_BASE_URL, timeoutMs = DEFAULT_TIMEOUT_MS, gate = OPEN_GATE } = options;
    this.#token = token;
    this.#timeoutMs = timeoutMs;
    this.#gate = gate;
    this.#http = new Client({ token: token.reveal(), baseURL: baseUrl, timeout: timeoutMs }).axios;
    this.#http.defaults.httpsAgent = providerAgent();
    this.#http.defaults.maxContentLength = MAX_ANSWER_BYTES;
  }

  async send<T>(request: HetznerRequest, schema: z.ZodType<T>): Promise<T> {
    const response = await this.exchange(request);
    const answer = schema.safeParse(parseJson(response.data));
    if (!answer.success) throw unreadableError(request, response, answer.error, this.#token);
    return answer.data;
  }

  /** For requests whose answer says nothing that is needed. */
  async sendOnly(request: HetznerRequest): Promise<void> {
    await this.exchange(request);
  }

  /** The entries of all pages, one page at a time. */
  async *list<T>(request: Omit<HetznerRequest, 'method' | 'body'>, key: string, entry: z.ZodType<T>) {
    for await (const page of this.pages(request, key, entry)) yield* page;
  }

  /** One request for each. */
  async *pages<T>(
    { path, query = {}, purpose, listsKeys }: Omit<HetznerRequest, 'method' | 'body'>,
    key: string,
    entry: z.ZodType<T>,
  ): AsyncGenerator<T[]> {
    const schema = pageAnswer.and(z.object({ [key]: z.array(entry) })) as z.ZodType<
      z.infer<typeof pageAnswer> & Record<string, T[]>
    >;
    let page = 1;
    for (let count = 0; count < MAX_PAGES; count++) {
      const paged = { ...query, page, per_page: PER_PAGE };
      const answer = await this.send({ method: 'GET', path, query: paged, purpose, listsKeys }, schema);
      yield answer[key] ?? [];
      const next = answer.meta.pagination.next_page;
      if (!next || next <= page) return;
      page = next;
    }
    throw new CloudError('unavailable', `Hetzner Cloud: GET ${path} never reached a last page`);
  }

  private async exchange(request: HetznerRequest): Promise<AxiosResponse<string>> {
    const operation = operationName(request.method, request.path);
    const admitted = await this.#gate.admit({ ...request, operation });
    let response: AxiosResponse<string>;
    try {
      response = await this.#http.request<string>({
        method: request.method,
        url: request.path,
        params: request.query,
        // Several values of one parameter as Hetzner reads them: `type=system&type=app`.
        paramsSerializer: { indexes: null },
        data: request.body,
        ...(request.maySend ? { transport: guardedTransport(request.maySend) } : {}),
        // hcloud-js' interceptor breaks on error answers, and axios guesses at JSON: both are done here instead.
        validateStatus: () => true,
        responseType: 'text',
        // A redirect would carry the token to another place.
        maxRedirects: 0,
        // The transport's own time limit is about silence; this one is about the whole request.
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
    } catch (error) {
      const failure = networkError(request, error);
      await admitted.settle({ silence: silenceOf(failure) });
      throw failure;
    }
    await admitted.settle({ status: response.status, headers: { ...response.headers } });
    if (response.status < 200 || response.status > 299) {
      throw answeredError(request, response, parseJson(response.data), this.#token);
    }
    return response;
  }
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
