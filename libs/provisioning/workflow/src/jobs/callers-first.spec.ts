import { CallersFirst } from './callers-first';

describe('CallersFirst', () => {
  /** Work that ends when it is told to. */
  function open() {
    let end: () => void = () => undefined;
    const done = new Promise<void>((resolve) => (end = resolve));
    return { end, done };
  }

  async function begun(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** A call that is under way. */
  function callOf(first: CallersFirst) {
    const { end, done } = open();
    const call = first.call(() => done);
    return { end: () => (end(), call) };
  }

  /** Steps that count themselves. */
  function steps(first: CallersFirst, count: number) {
    const { end, done } = open();
    let running = 0;
    const all = Promise.all(
      Array.from({ length: count }, () =>
        first.step(async () => {
          running += 1;
          await done;
        }),
      ),
    );
    return { running: () => running, end: () => (end(), all) };
  }

  it('begins all steps while nobody calls', async () => {
    const many = steps(new CallersFirst(), 10);
    await begun();
    expect(many.running()).toBe(10);
    await many.end();
  });

  it('begins one during a call, and the others when it is over', async () => {
    const first = new CallersFirst();
    const call = callOf(first);
    const many = steps(first, 10);
    await begun();
    expect(many.running()).toBe(1);
    await call.end();
    await begun();
    expect(many.running()).toBe(10);
    await many.end();
  });

  it('begins one more for each that ends during a call', async () => {
    const first = new CallersFirst();
    const call = callOf(first);
    const early = steps(first, 1);
    const late = steps(first, 1);
    await begun();
    expect([early.running(), late.running()]).toEqual([1, 0]);
    await early.end();
    await begun();
    expect(late.running()).toBe(1);
    await Promise.all([call.end(), late.end()]);
  });

  describe('as time passes', () => {
    beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
    afterEach(() => jest.useRealTimers());

    it('holds no step back for long, however long is called', async () => {
      const first = new CallersFirst();
      const call = callOf(first);
      const many = steps(first, 5);
      const running: number[] = [];
      for (let turn = 0; turn < 5; turn++) {
        await begun();
        running.push(many.running());
        await jest.advanceTimersByTimeAsync(50);
      }
      expect(running).toEqual([1, 2, 3, 4, 5]);
      expect(jest.getTimerCount()).toBe(0);
      await Promise.all([call.end(), many.end()]);
    });

    it('takes many calls after one another for a rush, until it is over', async () => {
      const first = new CallersFirst();
      for (let call = 0; call < 6; call++) await first.call(async () => undefined);
      const rushed = steps(first, 2);
      await begun();
      expect(rushed.running()).toBe(1);
      await rushed.end();
      await jest.advanceTimersByTimeAsync(100);
      const calm = steps(first, 2);
      await begun();
      expect(calm.running()).toBe(2);
      await calm.end();
    });

    it('takes five calls a second for none', async () => {
      const first = new CallersFirst();
      for (let call = 0; call < 20; call++) {
        await first.call(async () => undefined);
        await jest.advanceTimersByTimeAsync(200);
      }
      const many = steps(first, 10);
      await begun();
      expect(many.running()).toBe(10);
      await many.end();
    });
  });

  it('goes on after calls and steps that fail', async () => {
    const first = new CallersFirst();
    const fails = () => Promise.reject(new Error('it failed'));
    await expect(first.call(fails)).rejects.toThrow('it failed');
    await expect(first.step(fails)).rejects.toThrow('it failed');
    const many = steps(first, 5);
    await begun();
    expect(many.running()).toBe(5);
    await many.end();
  });
});
