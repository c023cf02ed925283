import { HandedBack, orHandBack } from './hand-back';

const never = () => new Promise<never>(() => undefined);

describe('orHandBack', () => {
  it('waits for the work while nobody stops', async () => {
    expect(await orHandBack(Promise.resolve('done'), new AbortController().signal, 0)).toBe('done');
    await expect(orHandBack(Promise.reject(new Error('bad')), new AbortController().signal, 0)).rejects.toThrow('bad');
  });

  it('lets work that ends soon after the stop end', async () => {
    const stop = new AbortController();
    stop.abort();
    expect(await orHandBack(Promise.resolve('done'), stop.signal, 60_000)).toBe('done');
  });

  it.each(['before', 'after'])('gives up what hangs when the stop came %s it began', async (when) => {
    const stop = new AbortController();
    if (when === 'before') stop.abort();
    const waiting = orHandBack(never(), stop.signal, 1);
    stop.abort();
    await expect(waiting).rejects.toThrow(HandedBack);
  });

  it('does not mind that what was given up fails later', async () => {
    const stop = new AbortController();
    stop.abort();
    let fail: (error: Error) => void = () => undefined;
    const work = new Promise<never>((_resolve, reject) => (fail = reject));
    await expect(orHandBack(work, stop.signal, 1)).rejects.toThrow(HandedBack);
    fail(new Error('late'));
    await new Promise((done) => setImmediate(done));
  });
});
