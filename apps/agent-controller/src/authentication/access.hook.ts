import {
  KnownCredentials,
  networkOf,
  sha256,
  type Authentication,
  type FailedAuthentications,
  type Identity,
  type RateLimiter,
  type Rejection,
  type RouteAccess,
  type Verdict,
} from '@agent-controller/access';
import { AppError, includesRole, type AuthenticatedRequest, type Clock } from '@agent-controller/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDocumentation } from '../http/documentation';
import { rateRefused } from '../http/http-signals';
import { accessOf } from '../http/route-access';
import type { Authenticators } from './authenticators';
import { credential } from './credential';

export interface AccessLimits {
  /** Requests of a caller per minute; 0: no limit. */
  callerRate: number;
  /** Failed authentications of an address per minute; 0: no limit. */
  failureRate: number;
}

/** Decides before anything else of a request is read: who calls, whether too often, and whether they may. */
export class AccessHook {
  readonly #known: KnownCredentials;

  constructor(
    private readonly authenticators: Pick<Authenticators, 'list' | 'advice'>,
    private readonly limiter: Pick<RateLimiter, 'take' | 'peek'>,
    private readonly failures: Pick<FailedAuthentications, 'note'>,
    private readonly limits: AccessLimits,
    clock: Clock,
  ) {
    this.#known = new KnownCredentials(clock);
  }

  /**
   * Answers at once where no way to authenticate has to wait: a promise for each request costs more than the check of a key.
   * @throws AppError `unauthorized`, `forbidden`, `too-many-requests`, `identity-provider-unavailable`, all by `done`
   */
  readonly onRequest = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    try {
      const access = accessOf(request);
      if (access?.role !== 'public') {
        const identity = this.authenticate(request, reply);
        if (identity instanceof Promise) {
          identity.then((each) => this.admit(each, access, request, reply)).then(() => done(), done);
          return;
        }
        this.admit(identity, access, request, reply);
      }
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  };

  /**
   * The same for a call that only reads what every caller may, where there is nothing to decide: a key that was good lately
   * and still is, sent no more often than it may be.
   * @returns null where `onRequest` has to see to it: nothing was counted
   */
  admitReader(authorization: string | undefined): Verdict | null {
    const given = credential(authorization, false);
    if (given === null) return null;
    const digest = sha256(given);
    const text = digest.toString('latin1');
    if (!this.#known.has(text)) return null;
    for (const authenticator of this.authenticators.list) {
      const identity = authenticator.authenticateDigest?.(digest);
      if (!identity?.role || !includesRole(identity.role, 'viewer')) continue;
      const verdict = this.limiter.take(`caller ${identity.subject}`, this.limits.callerRate);
      if (!verdict.allowed) return null;
      this.#known.remember(text);
      return verdict;
    }
    return null;
  }

  private admit(
    identity: Identity,
    access: RouteAccess | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    this.limitCaller(identity, reply);
    request.identity = identity;
    const needed = access === undefined || access.role === 'public' ? 'viewer' : access.role;
    // An unknown path has no role to ask for: it is answered 404.
    if (identity.role === null || (access && !includesRole(identity.role, needed)))
      throw forbidden(needed, identity, reply);
    (request as FastifyRequest & AuthenticatedRequest).caller = { subject: identity.subject, role: identity.role };
  }

  private authenticate(request: FastifyRequest, reply: FastifyReply): Identity | Promise<Identity> {
    const isDocs = isDocumentation(request.url);
    const given = credential(request.headers.authorization, isDocs);
    const digest = given === null ? '' : sha256(given).toString('latin1');
    const address = networkOf(request.ip);
    const room = this.limiter.peek(`failed ${address}`, this.limits.failureRate);
    // Whoever guesses learns nothing any more, not even from a right guess.
    const isShut = !room.allowed && !this.#known.has(digest);
    const judge = (answer: Identity | Rejection | null): Identity => {
      if (answer && 'subject' in answer) {
        this.#known.remember(digest);
        return answer;
      }
      if (isShut) throw this.tooManyFailures(request, reply, room);
      this.failures.note({ address, status: 401, code: 'unauthorized', requestId: request.id });
      if (!answer || answer.isGuess) this.limiter.take(`failed ${address}`, this.limits.failureRate);
      throw this.unauthorized(answer, isDocs, reply);
    };
    const answer = given === null ? null : this.ask(given, isShut);
    return answer instanceof Promise ? answer.then(judge) : judge(answer);
  }

  private ask(given: string, isShut: boolean, from = 0): Identity | Rejection | Promise<Identity | Rejection> {
    for (let index = from; index < this.authenticators.list.length; index++) {
      const authenticator = this.authenticators.list[index];
      if (!authenticator || (isShut && !authenticator.isGuessProof)) continue;
      const answer = authenticator.authenticate(given);
      if (answer instanceof Promise) {
        return answer.then((each) => (each ? told(each) : this.ask(given, isShut, index + 1)));
      }
      if (answer) return told(answer);
    }
    return { reason: 'it is not known', isGuess: true };
  }

  private unauthorized(rejection: Rejection | null, isDocs: boolean, reply: FastifyReply): AppError {
    const realm = 'realm="agent-controller"';
    const error = rejection ? `, error="invalid_token", error_description="${rejection.reason}"` : '';
    // A browser asks for user and password by itself; scripts read the first scheme.
    void reply.header('www-authenticate', isDocs ? `Basic ${realm}` : `Bearer ${realm}${error}`);
    const why =
      rejection && rejection.reason !== 'it is not known' ? `The token is refused: ${rejection.reason}. ` : '';
    return new AppError('unauthorized', why + this.authenticators.advice);
  }

  private limitCaller({ subject }: Identity, reply: FastifyReply): void {
    const verdict = this.limiter.take(`caller ${subject}`, this.limits.callerRate);
    if (verdict.limit === 0) return;
    void reply.headers(rateHeaders(verdict));
    if (verdict.allowed) return;
    rateRefused.tell({ limit: 'caller' });
    throw new AppError(
      'too-many-requests',
      `You may send ${verdict.limit} requests per minute. Wait ${verdict.resetSeconds} s.`,
      { retryAfterSeconds: verdict.resetSeconds },
    );
  }

  private tooManyFailures(request: FastifyRequest, reply: FastifyReply, verdict: Verdict): AppError {
    const { limit, resetSeconds } = verdict;
    void reply.headers(rateHeaders(verdict));
    rateRefused.tell({ limit: 'failed-authentications' });
    const address = networkOf(request.ip);
    this.failures.note({ address, status: 429, code: 'too-many-requests', requestId: request.id });
    return new AppError(
      'too-many-requests',
      `More than ${limit} authentications failed from your address within a minute. Wait ${resetSeconds} s.`,
      { retryAfterSeconds: resetSeconds },
    );
  }
}

function told(answer: Authentication): Identity | Rejection {
  return 'identity' in answer ? answer.identity : answer.rejection;
}

function forbidden(needed: Exclude<RouteAccess['role'], 'public'>, { role }: Identity, reply: FastifyReply): AppError {
  const scope = `Bearer realm="agent-controller", error="insufficient_scope", scope="${needed}"`;
  void reply.header('www-authenticate', scope);
  return new AppError(
    'forbidden',
    `This call needs the role '${needed}'; you have ${role === null ? 'none' : `'${role}'`}.`,
    { extensions: { neededRole: needed } },
  );
}

/** How often who calls may call. */
export function rateHeaders({ limit, remaining, resetSeconds }: Verdict): Record<string, string> {
  return {
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(resetSeconds),
  };
}
