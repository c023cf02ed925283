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
  status: z.number().int().min(200).max(599).optional(),
  body: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  headers: z.record(z.string().regex(/^[\w-]+$/), z.string()).optional(),
  delayMs: z.number().int().nonnegative().optional(),
  /** Does the work, then closes the connection without an answer. */
  dropAnswer: z.boolean().optional(),
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

export type Fault = z.infer<typeof faultSchema> & { id: number };

interface Asked {
  provider: ProviderName;
  token: string;
  method: string;
  path: string;
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
  #nextId = 1;

  add(fault: z.infer<typeof faultSchema>): Fault {
    const added = { ...fault, id: this.#nextId++ };
    this.#faults.push(added);
    return added;
  }

  list(): Omit<Fault, 'token'>[] {
    // A token is not shown, not even to its owner.
    return this.#faults.map(({ token: _token, ...fault }) => fault);
  }

  clear(token?: string): void {
    const kept = token === undefined ? [] : this.#faults.filter((fault) => fault.token !== token);
    this.#faults.splice(0, this.#faults.length, ...kept);
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
  const { bootFailure, vanish, installFailure, callbacks, redemption } = fault;
  const isForOrders = bootFailure || vanish || installFailure || callbacks || redemption;
  return (
    (isOrder || !isForOrders) &&
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
