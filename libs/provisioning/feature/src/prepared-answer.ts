import { hash } from 'node:crypto';
import type { Reply, Request } from './http.types';

/** Its own copy may be used that long without a question, and for a day to ask whether it is still right. */
const CACHE_CONTROL = 'private, max-age=60, stale-while-revalidate=86400';

/** An answer that many callers get: made into bytes once, with a tag by which they can ask whether it has changed. */
export class PreparedAnswer {
  readonly body: string;
  readonly bytes: number;
  /** How its text is to be sent: where it is nothing but ASCII, Node need not count its bytes again. */
  readonly encoding: 'latin1' | 'utf8';
  /** Of the answer itself. */
  readonly headers: Readonly<Record<string, string>>;
  readonly #etag: string;

  constructor(view: unknown) {
    this.body = JSON.stringify(view);
    this.#etag = `"${hash('sha256', this.body, 'base64url').slice(0, 27)}"`;
    this.bytes = Buffer.byteLength(this.body);
    this.encoding = this.bytes === this.body.length ? 'latin1' : 'utf8';
    this.headers = {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': CACHE_CONTROL,
      etag: this.#etag,
    };
  }

  /** 304 where the caller has it already (RFC 9110, 13.1.2). */
  send(request: Pick<Request, 'headers'>, reply: Pick<Reply, 'headers' | 'status' | 'send'>): void {
    void reply.headers(this.headers);
    if (this.isKnown(request.headers['if-none-match'])) void reply.status(304).send();
    else void reply.send(this.body);
  }

  private isKnown(given: string | undefined): boolean {
    if (given === undefined) return false;
    return given.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === this.#etag);
  }
}
