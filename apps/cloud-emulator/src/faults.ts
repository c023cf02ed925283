import { z } from 'zod';
import type { ProviderName } from './project';
import type { ServerOrder } from './server/machine';
import { CALLBACK_MODES } from './server/callback-reporter';
import { REDEMPTION_MODES } from './server/secrets-fetcher';
import { STAGES } from './server/status-document';

const installFailureSchema = z.strictObject({
  stage: z.enum(STAGES).exclude(['boot', 'secrets'], 'a stage after the boot; for that there is bootFailure'),
  /** One sentence for people. */
  cause: z.string().min(1).max(500),
  logTail: z.array(z.string().max(240)).max(40).optional(),
});

export const faultSchema = z.strictObject({
  provider: z.enum(['hetzner', 'digitalocean']).optional(),
  token: z.string().min(1).optional(),
  method: z.string().min(1).optional(),
  /** A regular expression on the path without its prefix, such as `^/servers$`. */
  path: z.string().refine(isPattern, 'not a regular expression').optional(),
  /** How often; without it, until removed. */
  times: z.number().int().positive().optional(),
  /** Whether the trouble comes before anything is done or after it. Default: before; for a dropped answer, after. */
  effect: z.enum(['before', 'after']).optional(),
  status: z.number().int().min(200).max(599).optional(),
  /** An error of the provider in its own form, such as `locked` or `too_many_requests`; `status` wins over its own. */
  code: z.string().min(1).optional(),
  message: z.string().optional(),
  body: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  headers: z.record(z.string().regex(/^[\w-]+$/), z.string()).optional(),
  delayMs: z.number().int().nonnegative().optional(),
  /** Closes the connection without an answer. */
  dropAnswer: z.boolean().optional(),
  /** Does not answer before the faults are cleared, and then closes the connection. */
  hang: z.boolean().optional(),
  /** Sends the body byte by byte, one each so many milliseconds. */
  dripMs: z.number().int().positive().optional(),
  /** Sends half of the body, then closes the connection. */
  truncate: z.boolean().optional(),
  /** An order makes two servers, as an order that a proxy repeats. Fits orders only. */
  duplicate: z.boolean().optional(),
  /** Orders: the new server is nowhere to be seen for so long. Deletions: nothing is deleted, but hidden for so long. */
  hiddenMs: z.number().int().positive().optional(),
  /** Orders: the new server is missing from lists for so long. Deletions: the deleted server stays in them. */
  lagMs: z.number().int().positive().optional(),
  /** A deletion is answered at once, and takes effect after so long. Fits deletions of servers only. */
  effectAfterMs: z.number().int().positive().optional(),
  /** An ordered server is said to run, but nothing on it ever answers. Fits orders only, whatever the filter. */
  bootFailure: z.boolean().optional(),
  /** An ordered server is accepted, and then does not exist. Fits orders only. */
  vanish: z.boolean().optional(),
  /** An ordered server boots; its bootstrap stops at a stage and says so. Fits orders only. */
  installFailure: installFailureSchema.optional(),
  /** What becomes of an ordered server's reports on their way to the controller. Fits orders only. */
  callbacks: z.enum(CALLBACK_MODES).optional(),
  /** What becomes of an ordered server's requests for its secret files. Fits orders only. */
  redemption: z.enum(REDEMPTION_MODES).optional(),
});

export type FaultOrder = z.infer<typeof faultSchema>;
/** `cleared` aborts when the faults of its token, or all, are cleared. */
export type Fault = FaultOrder & { id: number; cleared: AbortSignal };

interface Asked {
  provider: ProviderName;
  token: string;
  method: string;
  path: string;
}

/** Before or after the work: for an answer that is dropped, after it, unless the fault says otherwise. */
export function effectOf({ effect, dropAnswer }: FaultOrder): 'before' | 'after' {
  return effect ?? (dropAnswer ? 'after' : 'before');
}

/** What a fault does to the server that is ordered. */
export function orderedTrouble(
  fault: Fault | undefined,
): Pick<ServerOrder, 'bootFails' | 'installFailure' | 'callbacks' | 'redemption'> {
  return {
    bootFails: fault?.bootFailure === true,
    installFailure: fault?.installFailure,
    callbacks: fault?.callbacks,
    redemption: fault?.redemption,
  };
}

/** Trouble that was ordered by the admin API. */
export class Faults {
  readonly #faults: Fault[] = [];
  /** Also of faults that are used up: requests may still hang by them. */
  #hanging: { token?: string; controller: AbortController }[] = [];
  #nextId = 1;

  add(fault: FaultOrder): Fault {
    const controller = new AbortController();
    if (fault.hang) this.#hanging.push({ token: fault.token, controller });
    const added = { ...fault, id: this.#nextId++, cleared: controller.signal };
    this.#faults.push(added);
    return added;
  }

  list(): Omit<Fault, 'token' | 'cleared'>[] {
    // A token is not shown, not even to its owner.
    return this.#faults.map(({ token: _token, cleared: _cleared, ...fault }) => fault);
  }

  clear(token?: string): void {
    const kept = token === undefined ? [] : this.#faults.filter((fault) => fault.token !== token);
    this.#faults.splice(0, this.#faults.length, ...kept);
    const isCleared = (each: { token?: string }) => token === undefined || each.token === token;
    for (const each of this.#hanging) if (isCleared(each)) each.controller.abort();
    this.#hanging = this.#hanging.filter((each) => !isCleared(each));
  }

  /** The first that fits this request; uses it up. */
  take(asked: Asked): Fault | undefined {
    const index = this.#faults.findIndex((fault) => fits(fault, asked));
    const fault = this.#faults[index];
    if (fault?.times !== undefined && --fault.times <= 0) this.#faults.splice(index, 1);
    return fault;
  }
}

function fits(fault: Fault, { provider, token, method, path }: Asked): boolean {
  const isOrder = method === 'POST' && /^\/(servers|droplets)$/.test(path);
  const isDeletion = method === 'DELETE' && /^\/(servers|droplets)\/\d+$/.test(path);
  const { bootFailure, vanish, installFailure, callbacks, redemption, duplicate } = fault;
  const isForOrders = bootFailure || vanish || installFailure || callbacks || redemption || duplicate;
  const isForEither = fault.hiddenMs !== undefined || fault.lagMs !== undefined;
  return (
    (isOrder || !isForOrders) &&
    (isDeletion || fault.effectAfterMs === undefined) &&
    (isOrder || isDeletion || !isForEither) &&
    (fault.provider ?? provider) === provider &&
    (fault.token ?? token) === token &&
    (fault.method ?? method).toUpperCase() === method &&
    (fault.path === undefined || new RegExp(fault.path).test(path))
  );
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
