import { getEventListeners } from 'node:events';
import { firstAbort } from './first-abort';
import { withTimeLimit } from './time-limit';

describe('firstAbort', () => {
  const listeners = ({ signal }: AbortController) => getEventListeners(signal, 'abort').length;

  it('aborts with the first, for its reason', () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const signal = firstAbort(one.signal, other.signal);
    expect(signal.aborted).toBe(false);
    other.abort(new Error('gone'));
    one.abort(new Error('later'));
    expect(signal.reason).toEqual(new Error('gone'));
  });

  it('is aborted where one is already', () => {
    const [one, other] = [new AbortController(), new AbortController()];
    other.abort(new Error('gone'));
    expect(firstAbort(one.signal, other.signal).reason).toEqual(new Error('gone'));
    expect(listeners(one)).toBe(0);
  });

  it('leaves nothing with a signal that lives on', () => {
    const shutdown = new AbortController();
    for (let n = 0; n < 100; n++) {
      const caller = new AbortController();
      firstAbort(shutdown.signal, caller.signal);
      caller.abort();
    }
    expect(listeners(shutdown)).toBe(0);
  });

  it('neither does a time limit, when its time is over', () => {
    jest.useFakeTimers();
    try {
      const shutdown = new AbortController();
      const signal = withTimeLimit(5_000, shutdown.signal);
      jest.advanceTimersByTime(4_999);
      expect([signal.aborted, listeners(shutdown)]).toEqual([false, 1]);
      jest.advanceTimersByTime(1);
      expect([signal.aborted, listeners(shutdown)]).toEqual([true, 0]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('warns of nothing, however many wait for one', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on('warning', note);
    const shutdown = new AbortController();
    for (let n = 0; n < 100; n++) firstAbort(shutdown.signal, new AbortController().signal);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});
