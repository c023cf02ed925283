import {
  ApiKeyAuthenticator,
  sha256,
  type Authentication,
  type Authenticator,
  type KnownKey,
  type RouteAccess,
  type Verdict,
} from '@agent-controller/access';
import { AppError, ROLES, type Role } from '@agent-controller/kernel';
import fastify, { type FastifyInstance } from 'fastify';
import { AccessHook, type AccessLimits } from './access.hook';

const KEY = 'a-key-of-more-than-16-characters:with=signs';
const ROUTES: Record<string, RouteAccess> = {
  '/api/health': { role: 'public' },
  '/api/clients': { role: 'viewer' },
  '/api/docs': { role: 'viewer' },
  '/api/docs/*': { role: 'viewer' },
  '/operator': { role: 'operator' },
  '/admin': { role: 'admin' },
};

describe('AccessHook', () => {
  let app: FastifyInstance;
  /** What was thrown, and whose call arrived behind the hook. */
  let thrown: unknown;
  let arrived: unknown[];
  let failures: { status: number }[];
  let taken: string[];
  /** Keys of which there is no more. */
  let exhausted: string[];
  let now: Date;

  beforeEach(() => {
    [thrown, arrived, failures, taken, exhausted] = [undefined, [], [], [], []];
    now = new Date('2026-11-23T12:00:00Z');
  });
  afterEach(() => app.close());

  const verdict = (key: string, limit: number): Verdict => ({
    ...{ allowed: limit === 0 || !exhausted.includes(key), limit, remaining: 5, resetSeconds: 30 },
  });

  let hook: AccessHook;
  let keys: KnownKey[];

  function start(more: Authenticator[] = [], limits: Partial<AccessLimits> = {}): void {
    keys = [
      { digest: sha256(KEY), subject: 'static-api-key', role: 'admin' as const },
      ...ROLES.map((role) => ({ digest: sha256(`key-of-${role}`), subject: `api-key:${role}`, role })),
    ];
    const limiter = {
      peek: verdict,
      take: (key: string, limit: number) => {
        taken.push(key);
        return verdict(key, limit);
      },
    };
    hook = new AccessHook(
      { list: [new ApiKeyAuthenticator(() => keys), ...more], advice: 'Send the API key.' },
      limiter,
      { note: (failure) => void failures.push(failure) },
      { callerRate: 600, failureRate: 30, ...limits },
      { now: () => now },
    );
    app = fastify();
    app.addHook('onRequest', hook.onRequest);
    app.setErrorHandler((error, _request, reply) => {
      thrown = error;
      return reply.status((error as AppError).code === 'unauthorized' ? 401 : 403).send();
    });
    for (const [url, access] of Object.entries(ROUTES)) {
      app.get(url, { config: { access } }, async (request) => {
        arrived.push((request as unknown as { caller?: unknown }).caller);
        return 'behind';
      });
    }
    app.get('/undeclared', async () => 'behind');
  }

  const call = (url: string, authorization?: string) =>
    app.inject({ url, headers: authorization === undefined ? {} : { authorization } });
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  it.each([`Bearer ${KEY}`, `ApiKey ${KEY}`, `bearer ${KEY}`, `APIKEY ${KEY}`, `Bearer   ${KEY}  `])(
    'lets %j pass and says who calls',
    async (authorization) => {
      start();
      expect((await call('/api/clients', authorization)).statusCode).toBe(200);
      expect(arrived).toEqual([{ subject: 'static-api-key', role: 'admin' }]);
    },
  );

  const challenge = 'Bearer realm="agent-controller"';
  const invalid = `${challenge}, error="invalid_token", error_description="it is not known"`;
  it.each([
    [undefined, challenge],
    ['', challenge],
    [KEY, challenge],
    ['Bearer', challenge],
    ['Bearer ', challenge],
    [`Bearer ${KEY}x`, invalid],
    [`Bearer ${KEY.slice(1)}`, invalid],
    [`Bearer ${KEY.toUpperCase()}`, invalid],
    [`Bearer ${KEY} ${KEY}`, challenge],
    [`Bearer x, Bearer ${KEY}`, challenge],
    [`Token ${KEY}`, challenge],
    [`Basic ${KEY}`, challenge],
    [basic(`user:${KEY}`), challenge],
  ])('refuses %j', async (authorization, expected) => {
    start();
    const { statusCode, headers } = await call('/api/clients', authorization);
    expect(statusCode).toBe(401);
    expect(headers['www-authenticate']).toBe(expected);
    expect(arrived).toEqual([]);
    expect(thrown).toBeInstanceOf(AppError);
    expect((thrown as AppError).code).toBe('unauthorized');
    expect((thrown as AppError).message).not.toContain(KEY);
    expect(failures).toMatchObject([{ address: '127.0.0.1', status: 401 }]);
    expect(taken).toEqual(['failed 127.0.0.1']);
  });

  describe('for a reader, where there is nothing to decide', () => {
    it.each(ROLES)('lets a key of the role %s pass that was good lately, and counts its caller', async (role) => {
      start();
      expect(hook.admitReader(`Bearer key-of-${role}`)).toBeNull();
      expect(taken).toEqual([]);
      await call('/api/clients', `Bearer key-of-${role}`);
      expect(hook.admitReader(`ApiKey key-of-${role}`)).toMatchObject({ allowed: true, limit: 600 });
      expect(taken).toEqual([`caller api-key:${role}`, `caller api-key:${role}`]);
    });

    it('leaves everything else to the usual way, and counts nothing', async () => {
      start();
      await call('/api/clients', `Bearer ${KEY}`);
      taken.length = 0;
      for (const given of [undefined, '', KEY, `Bearer ${KEY}x`, basic(`user:${KEY}`), `Bearer ${KEY} ${KEY}`]) {
        expect(hook.admitReader(given)).toBeNull();
      }
      expect(taken).toEqual([]);
    });

    it('knows at once that a key is taken away, and forgets one that nobody used for long', async () => {
      start();
      for (const key of [KEY, 'key-of-admin']) await call('/api/clients', `Bearer ${key}`);
      keys.splice(0, 1);
      expect(hook.admitReader(`Bearer ${KEY}`)).toBeNull();
      expect(hook.admitReader('Bearer key-of-admin')).not.toBeNull();
      now = new Date(now.getTime() + 11 * 60_000);
      expect(hook.admitReader('Bearer key-of-admin')).toBeNull();
    });

    it('leaves it to the usual way to refuse who calls too often, and never asks who needs time', async () => {
      const authenticate = jest.fn(async (): Promise<Authentication> => ({
        identity: { subject: 'someone', role: 'viewer' },
      }));
      start([{ isGuessProof: true, authenticate }]);
      await call('/api/clients', 'Bearer a-token');
      expect(hook.admitReader('Bearer a-token')).toBeNull();
      expect(authenticate).toHaveBeenCalledTimes(1);
      await call('/api/clients', `Bearer ${KEY}`);
      exhausted.push('caller static-api-key');
      expect(hook.admitReader(`Bearer ${KEY}`)).toBeNull();
    });
  });

  it('leaves public routes open, and nobody calls there', async () => {
    start();
    for (const url of ['/api/health', '/api/health?verbose=1']) expect((await call(url)).statusCode).toBe(200);
    expect(arrived).toEqual([undefined, undefined]);
    expect(taken).toEqual([]);
  });

  it.each([
    '/',
    '/api',
    '/metrics',
    '/api/openapi.json',
    '/api/docs',
    '/api/clients?x=/api/health',
    '/api/health/',
    '/api/healthy',
    '/api/health/../clients',
    '/api/health%2f..%2fclients',
    '/API/HEALTH',
    '//api/health',
    '/api/docsx',
    '/undeclared',
  ])('closes %s', async (path) => {
    start();
    expect((await call(path)).statusCode).toBe(401);
  });

  it.each(['/api/docs', '/api/docs/', '/api/docs/swagger-ui.css'])(
    'takes the key as a password at %s, for browsers',
    async (path) => {
      start();
      expect((await call(path)).headers['www-authenticate']).toBe('Basic realm="agent-controller"');
      expect((await call(path, basic(`anybody:${KEY}`))).statusCode).toBe(200);
      expect((await call(path, basic(`:${KEY}`))).statusCode).toBe(200);
      for (const wrong of [`anybody:${KEY}x`, `${KEY}:`, KEY, ':', '']) {
        expect((await call(path, basic(wrong))).statusCode).toBe(401);
      }
    },
  );

  const paths: [string, Role][] = [
    ['/api/clients', 'viewer'],
    ['/operator', 'operator'],
    ['/admin', 'admin'],
    ['/undeclared', 'admin'],
  ];
  it.each(paths)('%s needs the role %s', async (path, needed) => {
    start();
    for (const role of ROLES) {
      const { statusCode, headers } = await call(path, `Bearer key-of-${role}`);
      const isAllowed = ROLES.indexOf(role) >= ROLES.indexOf(needed);
      expect([role, statusCode]).toEqual([role, isAllowed ? 200 : 403]);
      if (isAllowed) continue;
      expect(headers['www-authenticate']).toBe(`${challenge}, error="insufficient_scope", scope="${needed}"`);
      expect(thrown).toMatchObject({ code: 'forbidden', options: { extensions: { neededRole: needed } } });
    }
  });

  it('lets nobody without a role in, except to where nothing is', async () => {
    start([{ isGuessProof: true, authenticate: async () => ({ identity: { subject: 'someone', role: null } }) }]);
    expect((await call('/api/clients', 'Bearer some.valid.token')).statusCode).toBe(403);
    expect((await call('/api/health', 'Bearer some.valid.token')).statusCode).toBe(200);
  });

  it('says why a token is refused, and counts it only when somebody may have guessed it', async () => {
    const rejection = { reason: 'it has expired', isGuess: false };
    start([{ isGuessProof: true, authenticate: async () => ({ rejection }) }]);
    const { headers } = await call('/api/clients', 'Bearer a.b.c');
    expect(headers['www-authenticate']).toBe(`${challenge}, error="invalid_token", error_description="it has expired"`);
    expect((thrown as AppError).message).toContain('it has expired');
    expect(taken).toEqual([]);
    expect(failures).toHaveLength(1);
  });

  it('passes on that the provider cannot be asked', async () => {
    const error = new AppError('identity-provider-unavailable', 'Away.');
    start([{ isGuessProof: true, authenticate: () => Promise.reject(error) }]);
    await call('/api/clients', 'Bearer a.b.c');
    expect(thrown).toBe(error);
    expect(failures).toEqual([]);
  });

  it('refuses an address with too many failures, even what is right, but not what was right before', async () => {
    start();
    expect((await call('/api/clients', 'Bearer key-of-viewer')).statusCode).toBe(200);
    exhausted = ['failed 127.0.0.1'];
    for (const authorization of ['Bearer wrong', `Bearer ${KEY}`, undefined]) {
      const { headers } = await call('/api/clients', authorization);
      expect(thrown).toMatchObject({ code: 'too-many-requests', options: { retryAfterSeconds: 30 } });
      expect(headers['ratelimit-limit']).toBe('30');
    }
    expect(failures.map(({ status }) => status)).toEqual([429, 429, 429]);
    expect((await call('/api/clients', 'Bearer key-of-viewer')).statusCode).toBe(200);
    now = new Date(now.getTime() + 10 * 60_000);
    await call('/api/clients', 'Bearer key-of-viewer');
    expect(thrown).toMatchObject({ code: 'too-many-requests' });
    expect(failures).toHaveLength(4);
  });

  it('still asks for tokens, which nobody can guess, when an address has too many failures', async () => {
    const answers: Record<string, Authentication> = {
      good: { identity: { subject: 'oidc:someone', role: 'viewer' } },
      bad: { rejection: { reason: 'it is not genuine', isGuess: true } },
    };
    start([{ isGuessProof: true, authenticate: async (given) => answers[given] ?? null }]);
    exhausted = ['failed 127.0.0.1'];
    expect((await call('/api/clients', 'Bearer good')).statusCode).toBe(200);
    for (const given of ['bad', 'key-of-viewer']) {
      await call('/api/clients', `Bearer ${given}`);
      expect(thrown).toMatchObject({ code: 'too-many-requests' });
    }
  });

  it('limits each caller, and says how much is left', async () => {
    start();
    const { headers } = await call('/api/clients', 'Bearer key-of-viewer');
    expect(headers).toMatchObject({ 'ratelimit-limit': '600', 'ratelimit-remaining': '5', 'ratelimit-reset': '30' });
    exhausted = ['caller api-key:viewer'];
    await call('/api/clients', 'Bearer key-of-viewer');
    expect(thrown).toMatchObject({ code: 'too-many-requests', options: { retryAfterSeconds: 30 } });
    expect((await call('/api/clients', 'Bearer key-of-operator')).statusCode).toBe(200);
  });

  it('says nothing of limits where there are none', async () => {
    start([], { callerRate: 0 });
    expect((await call('/api/clients', `Bearer ${KEY}`)).headers['ratelimit-limit']).toBeUndefined();
  });
});
