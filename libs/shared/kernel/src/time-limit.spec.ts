import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { withTimeLimit } from './time-limit';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('withTimeLimit', () => {
  const keepAwake = setInterval(() => undefined, 1000);
  afterAll(() => clearInterval(keepAwake));

  it('ends what takes too long, also after a garbage collection', async () => {
    const signal = withTimeLimit(100, new AbortController().signal);
    const aborted = once(signal, 'abort');
    collectGarbage();
    await aborted;
    expect(signal.reason).toMatchObject({ name: 'TimeoutError', message: 'Not done within 100 ms' });
  });

  it('ends with the other signals', () => {
    const other = new AbortController();
    const signal = withTimeLimit(60_000, other.signal);
    expect(signal.aborted).toBe(false);
    other.abort(new Error('shutting down'));
    expect(signal.reason).toEqual(new Error('shutting down'));
  });
});
