export interface Answer<T = unknown> {
  status: number;
  headers: Headers;
  body: T;
}

/** Calls the controller over HTTP with its key. */
export class Api {
  constructor(
    readonly url: string,
    private readonly apiKey: string,
    /** After which a call without an answer is given up; 0: never. */
    private readonly limitMs = 0,
  ) {}

  /** The same, but no call lasts longer. */
  within(limitMs: number): Api {
    return new Api(this.url, this.apiKey, limitMs);
  }

  get<T>(path: string, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.call<T>('GET', path, undefined, headers);
  }

  post<T>(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.call<T>('POST', path, body, headers);
  }

  patch<T>(path: string, body: unknown): Promise<Answer<T>> {
    return this.call<T>('PATCH', path, body, {});
  }

  delete<T>(path: string, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.call<T>('DELETE', path, undefined, headers);
  }

  /** The raw response, for streams. */
  open(path: string, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    return fetch(this.url + path, { headers: { authorization: `Bearer ${this.apiKey}`, ...headers }, signal });
  }

  private async call<T>(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<Answer<T>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: this.limitMs > 0 ? AbortSignal.timeout(this.limitMs) : null,
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as T,
    };
  }
}
