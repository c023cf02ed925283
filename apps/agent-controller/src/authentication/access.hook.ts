import {
  KnownCredentials,
  networkOf,
  sha256,
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

  /** @throws AppError `unauthorized`, `forbidden`, `too-many-requests`, `identity-provider-unavailable` */
  readonly onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const access = accessOf(request);
    if (access?.role === 'public') return;
    const identity = await this.authenticate(request, reply);
    this.limitCaller(identity, reply);
    request.identity = identity;
    const needed = access?.role ?? 'viewer';
    // An unknown path has no role to ask for: it is answered 404.
    if (identity.role === null || (access && !includesRole(identity.role, needed)))
      throw forbidden(needed, identity, reply);
    (request as FastifyRequest & AuthenticatedRequest).caller = { ...identity, role: identity.role };
  };

  private async authenticate(request: FastifyRequest, reply: FastifyReply): Promise<Identity> {
    const isDocs = isDocumentation(request.url);
    const given = credential(request.headers.authorization, isDocs);
    const digest = given === null ? '' : sha256(given).toString('base64');
    const address = networkOf(request.ip);
    const room = this.limiter.peek(`failed ${address}`, this.limits.failureRate);
    // Whoever guesses learns nothing any more, not even from a right guess.
    const isShut = !room.allowed && !this.#known.has(digest);
    const answer = given === null ? null : await this.ask(given, isShut);
    if (answer && 'subject' in answer) {
      this.#known.remember(digest);
      return answer;
    }
    const rejection = answer;
    if (isShut) throw this.tooManyFailures(request, reply, room);
    this.failures.note({ address, status: 401, code: 'unauthorized', requestId: request.id });
    if (!rejection || rejection.isGuess) this.limiter.take(`failed ${address}`, this.limits.failureRate);
    throw this.unauthorized(rejection, isDocs, reply);
  }

  private async ask(given: string, isShut: boolean): Promise<Identity | Rejection> {
    for (const authenticator of this.authenticators.list) {
      if (isShut && !authenticator.isGuessProof) continue;
      const answer = await authenticator.authenticate(given);
      if (answer) return 'identity' in answer ? answer.identity : answer.rejection;
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

function forbidden(needed: Exclude<RouteAccess['role'], 'public'>, { role }: Identity, reply: FastifyReply): AppError {
  const scope = `Bearer realm="agent-controller", error="insufficient_scope", scope="${needed}"`;
  void reply.header('www-authenticate', scope);
  return new AppError(
    'forbidden',
    `This call needs the role '${needed}'; you have ${role === null ? 'none' : `'${role}'`}.`,
    { extensions: { neededRole: needed } },
  );
}

function rateHeaders({ limit, remaining, resetSeconds }: Verdict): Record<string, string> {
  return {
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(resetSeconds),
  };
}
