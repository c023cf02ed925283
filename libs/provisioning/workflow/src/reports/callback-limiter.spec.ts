import { CallbackLimiter } from './callback-limiter';

describe('CallbackLimiter', () => {
  it('takes a burst, then one a second, for each provisioning by itself', () => {
    const limiter = new CallbackLimiter();
    const burst = Array.from({ length: 31 }, () => limiter.take('a', 0));
    expect(burst).toEqual([...Array(30).fill(null), 1]);
    expect(limiter.take('b', 0)).toBeNull();
    expect(limiter.take('a', 900)).toBe(1);
    expect(limiter.take('a', 1_000)).toBeNull();
    expect(limiter.take('a', 1_000)).toBe(1);
  });

  it('forgets who was longest silent, not who is limited now', () => {
    const limiter = new CallbackLimiter();
    for (let index = 0; index < 31; index += 1) limiter.take('mad', 0);
    for (let index = 0; index < 9_990; index += 1) limiter.take(`id ${index}`, 0);
    expect(limiter.take('mad', 0)).toBe(1);
    for (let index = 0; index < 9_990; index += 1) limiter.take(`other ${index}`, 0);
    expect(limiter.take('mad', 0)).toBe(1);
  });
});
