import { CLOUD_ERROR_KINDS, CloudError, type CloudErrorKind } from '@agent-controller/cloud-port';
import type { CatalogueService } from './catalogue/catalogue.service';
import { StepErrors } from './step-errors.service';
import { contextWith, NOW, secondsAgo } from './testing/step-context.fixture';

const PASSING: CloudErrorKind[] = ['conflict', 'rate-limited', 'unavailable', 'outcome-unknown'];
const FINAL = CLOUD_ERROR_KINDS.filter((kind) => !PASSING.includes(kind));

describe('StepErrors', () => {
  let others: string[] | Error;
  let types: { id: string; locations: string[] }[];
  const catalogue = {
    otherLocations: async () => {
      if (others instanceof Error) throw others;
      return others;
    },
    otherTypes: async () => {
      if (others instanceof Error) throw others;
      return types;
    },
  } as unknown as CatalogueService;
  const errors = new StepErrors(catalogue);

  beforeEach(() => {
    others = [];
    types = [];
  });

  const resultOf = (error: unknown, reference: Parameters<typeof contextWith>[0] = {}) =>
    errors.resultOf(error, contextWith({ phase: 'booting', ...reference }));

  it.each(FINAL)('ends with a failure at %s, in the words of the provider', async (kind) => {
    const error = new CloudError(kind, 'What happened.', { providerCode: 'code', requestId: 'id' });
    expect(await resultOf(error)).toMatchObject({
      kind: 'fail',
      failure: {
        message: 'What happened.',
        action: expect.stringMatching(/\w/),
        providerCode: 'code',
        requestId: 'id',
      },
    });
  });

  it.each(PASSING)('tries again after %s, and says so once', async (kind) => {
    const result = await resultOf(new CloudError(kind, 'What happened.'));
    expect(result).toMatchObject({
      kind: 'wait',
      patch: {
        consecutiveErrors: 1,
        lastError: { message: 'What happened.', phase: 'booting', at: NOW.toISOString() },
      },
      events: [{ type: 'error', message: 'What happened.' }],
    });
  });

  it('does not flood the log with the same trouble, but logs another', async () => {
    const away = new CloudError('unavailable', 'Away.');
    const first = await resultOf(away);
    if (first.kind !== 'wait') throw new Error(first.kind);
    const { lastError } = first.patch ?? {};
    expect(await resultOf(away, { lastError, consecutiveErrors: 5 })).toMatchObject({
      patch: { consecutiveErrors: 6 },
      events: [],
    });
    const limited = await resultOf(new CloudError('rate-limited', 'Slow.'), { lastError, consecutiveErrors: 5 });
    expect(limited).toMatchObject({ events: [{ message: 'Slow.' }] });
    // The trouble of an earlier time is over.
    expect(await resultOf(away, { lastError, consecutiveErrors: 0 })).toMatchObject({ events: [{}] });
  });

  it('waits longer with each error in a row, and as long as the provider asks', async () => {
    const delays: number[] = [];
    for (const consecutiveErrors of [0, 3, 50]) {
      const result = await resultOf(new CloudError('conflict', 'x'), { consecutiveErrors });
      delays.push(result.kind === 'wait' ? result.delayMs : 0);
    }
    expect(delays[0]).toBeLessThanOrEqual(1_000);
    expect(delays[1]).toBeGreaterThanOrEqual(6_000);
    expect(delays[2]).toBeLessThanOrEqual(60_000);
    const asked = await resultOf(new CloudError('rate-limited', 'x', { retryAfterMs: 123_456 }));
    expect(asked).toMatchObject({ delayMs: 123_456 });
  });

  it.each([
    ['unavailable', true],
    ['rate-limited', true],
    ['conflict', false],
    ['outcome-unknown', false],
  ] as const)('%s: the clock stands still is %s', async (kind, isPaused) => {
    const result = await resultOf(new CloudError(kind, 'x'));
    expect(result).toMatchObject({ patch: isPaused ? { pausedSince: NOW } : {} });
    expect('patch' in result && result.patch && 'pausedSince' in result.patch).toBe(isPaused);
  });

  it('keeps the time since when the clock stands still', async () => {
    const pausedSince = secondsAgo(100);
    expect(await resultOf(new CloudError('unavailable', 'x'), { pausedSince })).toMatchObject({
      patch: { pausedSince },
    });
  });

  it.each([new Error('Sup3rS3cret'), 'Sup3rS3cret', undefined, null])(
    'tells nothing of an error of our own (%#), and tries again',
    async (error) => {
      const result = await resultOf(error);
      expect(result).toMatchObject({ kind: 'wait', patch: { lastError: { code: 'internal-error' } } });
      expect(JSON.stringify(result)).not.toContain('Sup3rS3cret');
    },
  );

  describe('where there is no room', () => {
    const full = new CloudError('capacity', 'No room.');

    it('names where else the type can be ordered', async () => {
      others = ['nbg1', 'hel1'];
      expect(await resultOf(full)).toMatchObject({
        failure: {
          code: 'provider-capacity',
          action: expect.stringMatching(/cx23 is listed as available at: nbg1, hel1\.$/),
        },
      });
    });

    it('names types much like it, and where', async () => {
      types = [
        { id: 'cx33', locations: ['nbg1', 'hel1'] },
        { id: 'cpx22', locations: ['fsn1'] },
      ];
      expect(await resultOf(full)).toMatchObject({
        failure: {
          message: 'No room.',
          action: expect.stringMatching(/ Listed as available besides: cx33 \(nbg1, hel1\), cpx22 \(fsn1\)\.$/),
        },
      });
    });

    it('says what was tried, starts from what was asked for, and names nothing that was tried', async () => {
      const price = { monthlyCost: null, currency: null };
      const configuration = {
        firstChoice: { serverType: 'cx23', location: 'fsn1', ...price },
        fallback: [
          { serverType: 'cx23', location: 'nbg1', ...price },
          { serverType: 'cx33', location: 'hel1', ...price },
        ],
      };
      others = ['nbg1', 'hel1'];
      types = [
        { id: 'cx33', locations: ['hel1'] },
        { id: 'cpx22', locations: ['fsn1', 'hel1'] },
      ];
      const last = { serverType: 'cx33', location: 'hel1', configuration: configuration as never };
      const result = await resultOf(full, { phase: 'creating-server', ...last });
      expect(result).toMatchObject({
        failure: {
          message: 'No room. Tried: cx23 at fsn1, cx23 at nbg1, cx33 at hel1.',
          action: expect.stringMatching(
            / cx23 is listed as available at: hel1\. Listed as available besides: cpx22 \(fsn1, hel1\)\.$/,
          ),
        },
      });
    });

    it.each([[[]], [new Error('the catalogue is away')]])('does without, when nothing is known (%j)', async (known) => {
      others = known;
      const result = await resultOf(full);
      expect(result).toMatchObject({ kind: 'fail', failure: { code: 'provider-capacity' } });
      expect(JSON.stringify(result)).not.toContain('listed as available');
    });
  });

  describe('of an order', () => {
    const order = (kind: CloudErrorKind, createRequestedAt: Date | null = null) =>
      resultOf(new CloudError(kind, 'x'), { phase: 'creating-server', createRequestedAt });
    const forgets = async (result: ReturnType<typeof order>) => {
      const { patch = {} } = (await result) as { patch?: { createRequestedAt?: Date | null } };
      return patch.createRequestedAt === null;
    };

    it('knows when it surely made nothing', async () => {
      for (const kind of CLOUD_ERROR_KINDS) {
        expect([kind, await forgets(order(kind))]).toEqual([kind, kind !== 'outcome-unknown' && kind !== 'conflict']);
      }
    });

    it('never forgets an earlier order of the attempt', async () => {
      for (const kind of CLOUD_ERROR_KINDS) expect(await forgets(order(kind, secondsAgo(60)))).toBe(false);
    });

    it.each(['unavailable', 'rate-limited'] as const)('%s: remembers the earlier order as it was', async (kind) => {
      // By now the row says that another one was about to be sent.
      expect(await order(kind, secondsAgo(60))).toMatchObject({ patch: { createRequestedAt: secondsAgo(60) } });
    });
  });

  it('says what to do when the provider refuses a deletion', async () => {
    expect(await resultOf(new CloudError('invalid', 'Protected.'), { phase: 'deleting' })).toMatchObject({
      kind: 'fail',
      failure: { message: 'Protected.', action: expect.stringMatching(/^Delete again\. The server may still run/) },
    });
  });

  describe.each(['deleting', 'replacing'] as const)('while a server is removed (%s)', (phase) => {
    const removal = (kind: CloudErrorKind, consecutiveErrors = 0, retryAfterMs?: number) =>
      resultOf(new CloudError(kind, 'What happened.', { retryAfterMs }), { phase, consecutiveErrors });

    it('ends only for what a person must change, and says that the server may be billed', async () => {
      const final: CloudErrorKind[] = ['auth', 'invalid'];
      for (const kind of CLOUD_ERROR_KINDS) {
        const result = await removal(kind, 500);
        expect([kind, result.kind]).toEqual([kind, final.includes(kind) ? 'fail' : 'wait']);
        if (result.kind === 'fail') expect(result.failure.action).toContain('may still run, and is billed');
      }
    });

    it('says what to do about a delete protection that was set by hand', async () => {
      expect(await removal('invalid')).toMatchObject({
        failure: { code: 'provider-invalid', action: expect.stringContaining('delete protection') },
      });
    });

    it.each(['conflict', 'quota', 'capacity', 'not-found'] as const)(
      'shows %s, and asks again after 2 to 15 s, however often',
      async (kind) => {
        for (const errors of [0, 1, 3, 500]) {
          const result = await removal(kind, errors);
          expect(result).toMatchObject({
            kind: 'wait',
            patch: {
              consecutiveErrors: errors + 1,
              lastError: { code: 'provider-conflict', message: 'What happened.', phase },
            },
          });
          if (result.kind !== 'wait') throw new Error(result.kind);
          expect(result.delayMs).toBeGreaterThanOrEqual(2_000);
          expect(result.delayMs).toBeLessThanOrEqual(15_000);
        }
      },
    );

    it('waits longer for a provider that is away, and as long as it asks', async () => {
      for (const kind of ['unavailable', 'outcome-unknown', 'rate-limited'] as const) {
        const result = await removal(kind, 500);
        if (result.kind !== 'wait') throw new Error(result.kind);
        expect(result.delayMs).toBeGreaterThanOrEqual(45_000);
      }
      expect(await removal('conflict', 0, 33_333)).toMatchObject({ delayMs: 33_333 });
    });
  });
});
