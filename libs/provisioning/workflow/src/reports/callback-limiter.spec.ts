import { CallbackLimiter } from './callback-limiter';

describe('CallbackLimiter', () => {
  it('takes a burst, then one a second, for each provisioning by itself', () => {
    const limiter = new CallbackLimiter();
    const burst = Array.from({ length: 31 }, () => limiter.take('a', 'token', 0));
    expect(burst).toEqual([...Array(30).fill(null), 1]);
    expect(limiter.take('b', 'token', 0)).toBeNull();
    expect(limiter.take('a', 'token', 900)).toBe(1);
    expect(limiter.take('a', 'token', 1_000)).toBeNull();
    expect(limiter.take('a', 'token', 1_000)).toBe(1);
  });

  it('takes nothing from a server whose id a stranger knows', () => {
    const limiter = new CallbackLimiter();
    for (let call = 0; call < 31; call += 1) limiter.take('a', 'wrong', 0);
    expect(limiter.take('a', 'wrong', 0)).toBe(1);
    expect(limiter.take('a', 'token', 0)).toBeNull();
  });

  it('forgets who was longest silent, not who is limited now', () => {
    const limiter = new CallbackLimiter();
    for (let index = 0; index < 31; index += 1) limiter.take('mad', 'token', 0);
    for (let index = 0; index < 9_990; index += 1) limiter.take(`id ${index}`, 'token', 0);
    expect(limiter.take('mad', 'token', 0)).toBe(1);
    for (let index = 0; index < 9_990; index += 1) limiter.take(`other ${index}`, 'token', 0);
    expect(limiter.take('mad', 'token', 0)).toBe(1);
  });
});
