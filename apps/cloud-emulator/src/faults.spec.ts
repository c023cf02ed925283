import { effectOf, Faults, faultSchema } from './faults';

const asked = { provider: 'hetzner', token: 't', method: 'POST', path: '/servers' } as const;

describe('Faults', () => {
  it.each([
    [{}, true],
    [{ provider: 'hetzner' }, true],
    [{ provider: 'digitalocean' }, false],
    [{ token: 't' }, true],
    [{ token: 'other' }, false],
    [{ method: 'post' }, true],
    [{ method: 'GET' }, false],
    [{ path: '^/servers$' }, true],
    [{ path: 'server' }, true],
    [{ path: '^/servers/' }, false],
    [{ provider: 'hetzner', token: 't', method: 'POST', path: '^/servers' }, true],
    [{ token: 't', method: 'DELETE' }, false],
  ] as const)('%j fits the request: %s', (filter, isTaken) => {
    const faults = new Faults();
    faults.add({ ...filter, status: 500 });
    expect(faults.take(asked) !== undefined).toBe(isTaken);
  });

  it.each([
    { bootFailure: true },
    { vanish: true },
    { installFailure: { stage: 'docker', cause: 'x' } as const },
    { callbacks: 'lose' as const },
    { duplicate: true },
  ])('%j waits for an order', (trouble) => {
    const faults = new Faults();
    faults.add({ ...trouble, times: 1 });
    for (const method of ['GET', 'DELETE']) expect(faults.take({ ...asked, method })).toBeUndefined();
    expect(faults.take({ ...asked, path: '/ssh_keys' })).toBeUndefined();
    expect(faults.take(asked)).toMatchObject(trouble);
    faults.add({ ...trouble });
    expect(faults.take({ ...asked, path: '/droplets' })).toMatchObject(trouble);
  });

  it.each([{ hiddenMs: 1 }, { lagMs: 1 }])('%j waits for an order or a deletion of a server', (trouble) => {
    const faults = new Faults();
    faults.add({ ...trouble });
    expect(faults.take({ ...asked, method: 'GET' })).toBeUndefined();
    expect(faults.take({ ...asked, method: 'DELETE', path: '/ssh_keys/1' })).toBeUndefined();
    expect(faults.take(asked)).toMatchObject(trouble);
    expect(faults.take({ ...asked, method: 'DELETE', path: '/servers/1' })).toMatchObject(trouble);
  });

  it('a deletion that takes effect later waits for the deletion of a server', () => {
    const faults = new Faults();
    faults.add({ effectAfterMs: 1 });
    expect(faults.take(asked)).toBeUndefined();
    expect(faults.take({ ...asked, method: 'DELETE', path: '/firewalls/1' })).toBeUndefined();
    expect(faults.take({ ...asked, method: 'DELETE', path: '/droplets/1' })).toMatchObject({ effectAfterMs: 1 });
  });

  it('tells those who hang when they are cleared, also when they are used up', () => {
    const faults = new Faults();
    faults.add({ token: 't', hang: true, times: 1 });
    faults.add({ token: 'other', hang: true });
    const [mine, other] = [faults.take(asked), faults.take({ ...asked, token: 'other' })];
    faults.clear('t');
    expect([mine?.cleared.aborted, other?.cleared.aborted]).toEqual([true, false]);
    faults.clear();
    expect(other?.cleared.aborted).toBe(true);
  });

  it.each([
    [{ status: 502 }, 'before'],
    [{ hang: true }, 'before'],
    [{ dropAnswer: true }, 'after'],
    [{ dropAnswer: true, effect: 'before' }, 'before'],
    [{ hang: true, effect: 'after' }, 'after'],
  ] as const)('%j strikes %s the work', (fault, effect) => expect(effectOf(fault)).toBe(effect));

  it('is used up after its number of times, or never', () => {
    const faults = new Faults();
    faults.add({ status: 500, times: 2 });
    expect([faults.take(asked)?.status, faults.take(asked)?.status, faults.take(asked)?.status]).toEqual([
      500,
      500,
      undefined,
    ]);
    faults.add({ status: 502 });
    for (let time = 0; time < 5; time++) expect(faults.take(asked)?.status).toBe(502);
  });

  it('takes one at a time, in the order in which they came', () => {
    const faults = new Faults();
    for (const status of [501, 502, 503]) faults.add({ status, times: 1 });
    expect([1, 2, 3, 4].map(() => faults.take(asked)?.status)).toEqual([501, 502, 503, undefined]);
  });

  it('lists without tokens, and removes those of one token or all', () => {
    const faults = new Faults();
    faults.add({ token: 'mine', status: 500 });
    faults.add({ token: 'yours', status: 501 });
    faults.add({ status: 502 });
    expect(JSON.stringify(faults.list())).not.toMatch(/mine|yours/);
    faults.clear('mine');
    expect(faults.list()).toEqual([
      { id: 2, status: 501 },
      { id: 3, status: 502 },
    ]);
    faults.clear();
    expect(faults.list()).toEqual([]);
  });
});

describe('faultSchema', () => {
  it.each([
    { status: 99 },
    { status: 600 },
    { status: 500.5 },
    { path: '(' },
    { times: 0 },
    { delayMs: -1 },
    { provider: 'aws' },
    { body: 5 },
    { headers: { 'a b': 'c' } },
    { unknown: true },
    { effect: 'during' },
    { code: '' },
    { hang: 1 },
    { dripMs: 0 },
    { hiddenMs: 0 },
    { lagMs: -1 },
    { effectAfterMs: 0.5 },
    { duplicate: 2 },
    { callbacks: 'never' },
    { installFailure: true },
    { installFailure: { stage: 'docker' } },
    { installFailure: { stage: 'docker', cause: '' } },
    { installFailure: { stage: 'docker', cause: 'x', line: 1 } },
    { installFailure: { stage: 'docker', cause: 'x', logTail: 'x' } },
  ])('refuses %j', (fault) => expect(faultSchema.safeParse(fault).success).toBe(false));

  it('names the field of a failure that is none', () => {
    const { error } = faultSchema.safeParse({ installFailure: { stage: 'boot', cause: 'x'.repeat(501) } });
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(['installFailure.stage', 'installFailure.cause']);
    expect(error?.issues[0]?.message).toContain('bootFailure');
  });

  it('takes HTML, JSON, nothing, and all kinds of trouble', () => {
    for (const body of ['<html></html>', '', { error: { code: 'conflict' } }]) {
      expect(faultSchema.parse({ status: 502, body, headers: { 'retry-after': '1' } }).body).toEqual(body);
    }
    const trouble = { delayMs: 1, dropAnswer: true, bootFailure: true, vanish: true, times: 1, callbacks: 'lose' };
    expect(faultSchema.parse(trouble)).toEqual(trouble);
  });
});
