import { isDatabaseAway } from './database-trouble';

const withCode = (code: string) => Object.assign(new Error('of no use'), { code });

describe('isDatabaseAway', () => {
  it.each(['08006', '08P01', '53300', '57P01', '57P02', '57P03', '25006', '40001', '40P01', '55P03', '57014'])(
    'knows SQLSTATE %s',
    (code) => expect(isDatabaseAway(withCode(code))).toBe(true),
  );

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN'])(
    'knows %s of the network',
    (code) => expect(isDatabaseAway(withCode(code))).toBe(true),
  );

  it.each([
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout expired',
    'timeout exceeded when trying to connect',
    'Client was closed and is not queryable',
    'Client has encountered a connection error and is not queryable',
    'Cannot use a pool after calling end on the pool',
    'Query runner already released. Cannot run queries anymore.',
  ])('knows what the driver says without a code: %s', (message) => {
    expect(isDatabaseAway(new Error(message))).toBe(true);
  });

  it('looks into what wraps it', () => {
    expect(isDatabaseAway({ driverError: withCode('57P01') })).toBe(true);
    expect(isDatabaseAway(new Error('wrapped', { cause: withCode('ECONNRESET') }))).toBe(true);
    expect(isDatabaseAway(new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')]))).toBe(true);
  });

  it.each([
    ['a broken rule', withCode('23505')],
    ['a wrong statement', withCode('42601')],
    ['a mistake of ours', new TypeError('x is not a function')],
    ['text', 'Connection terminated'],
    ['nothing', undefined],
    ['null', null],
  ])('takes %s for no such trouble', (_what, error) => expect(isDatabaseAway(error)).toBe(false));

  it('comes to an end with an error that is its own cause', () => {
    const error = new Error('round');
    error.cause = error;
    expect(isDatabaseAway(error)).toBe(false);
  });
});
