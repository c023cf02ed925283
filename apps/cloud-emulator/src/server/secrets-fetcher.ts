import { generateKeyPairSync, sign } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { postCallback } from './callback-post';
import type { WrittenFile } from './cloud-init';
import type { Redemption } from './redemption-file';

/**
 * `lose-answer`: the controller answers, and the answer never arrives. `thief`: somebody else who has the token is
 * faster. `unreachable`: the first requests do not arrive.
 */
export const REDEMPTION_MODES = ['deliver', 'lose-answer', 'thief', 'unreachable'] as const;
export type RedemptionMode = (typeof REDEMPTION_MODES)[number];

export interface FetcherOptions {
  mode: RedemptionMode;
  log: (message: string) => void;
  signal: AbortSignal;
  /** Whence the server asks; where the system has no such address, from any. */
  localAddress?: string;
  /** The first pause before a retry; each next one is twice as long. */
  pauseMs?: number;
  /** Requests before it gives up. */
  attempts?: number;
}

const PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;
const ATTEMPTS = 40;
/** As the real `redeem.py` has it. */
const REFUSALS = 3;
const LOST_REQUESTS = 3;

const HOME = '/opt/agent-manager';
const REQUIRED = [`${HOME}/docker-compose.override.yml`, `${HOME}/tls/key.pem`];
const EXPECTED = [...REQUIRED, `${HOME}/callback.curlrc`];
const fileSchema = z.object({ path: z.enum(EXPECTED), permissions: z.literal('0600'), content: z.string() });
const answerSchema = z.object({ files: z.array(fileSchema) }).transform(({ files }, context) => {
  const paths = files.map(({ path }) => path);
  if (new Set(paths).size < paths.length || REQUIRED.some((path) => !paths.includes(path))) {
    context.addIssue('not the files that are expected');
    return z.NEVER;
  }
  return files.map((file): WrittenFile => ({ ...file, content: Buffer.from(file.content, 'utf8') }));
});

type Outcome = { files: WrittenFile[] } | { problem: string; isRefusal: boolean };

/** Fetches a server's secret files as `redeem.py` does: with a key of its own, again and again. */
export class SecretsFetcher {
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  readonly #publicKey = this.#keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  #sentAt = 0;
  #requests = 0;

  constructor(
    private readonly redemption: Redemption,
    private readonly options: FetcherOptions,
  ) {}

  /** @throws Error that says why there are none */
  async fetch(): Promise<WrittenFile[]> {
    const { mode, signal, log } = this.options;
    if (mode === 'thief') await new SecretsFetcher(this.redemption, { ...this.options, mode: 'deliver' }).fetch();
    let pauseMs = this.options.pauseMs ?? PAUSE_MS;
    let refusals = 0;
    let last = '';
    for (let left = this.options.attempts ?? ATTEMPTS; left > 0 && refusals < REFUSALS; left--) {
      const outcome = await this.attempt();
      signal.throwIfAborted();
      if ('files' in outcome) return outcome.files;
      last = outcome.problem;
      log(`no secret files from the controller: ${last}`);
      if (outcome.isRefusal) refusals += 1;
      await sleep(pauseMs, undefined, { signal });
      pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2);
    }
    throw new Error(last);
  }

  private async attempt(): Promise<Outcome> {
    const failed = (problem: string, isRefusal = false) => ({ problem, isRefusal });
    this.#requests += 1;
    if (this.options.mode === 'unreachable' && this.#requests <= LOST_REQUESTS) return failed('ECONNREFUSED');
    try {
      const { signal, localAddress } = this.options;
      const { status, body } = await postCallback(this.redemption.target, this.request(), { signal, localAddress });
      if (this.options.mode === 'lose-answer' && this.#requests === 1) return failed('ECONNRESET');
      if (status === 401) return failed('error 401: the controller refuses this server', true);
      if (status !== 200) return failed(`error ${status}: the controller cannot answer now`);
      return { files: answerSchema.parse(JSON.parse(body)) };
    } catch (error) {
      const { code, name } = error as { code?: unknown; name: string };
      return failed(typeof code === 'string' ? code : name);
    }
  }

  private request(): string {
    const { provisioningId, attempt } = this.redemption;
    this.#sentAt = Math.max(Date.now(), this.#sentAt + 1);
    const lines = [
      'agent-controller bootstrap redemption v1',
      provisioningId,
      String(attempt),
      this.#publicKey,
      String(this.#sentAt),
    ];
    const signature = sign('sha256', Buffer.from(lines.join('\n')), this.#keys.privateKey).toString('base64');
    return JSON.stringify({ attempt, publicKey: this.#publicKey, sentAt: this.#sentAt, signature });
  }
}
