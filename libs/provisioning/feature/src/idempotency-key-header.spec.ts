import { AppError } from '@agent-controller/kernel';
import { idempotencyKey } from './idempotency-key-header';

describe('idempotencyKey', () => {
  it('takes visible ASCII characters as they are', () => {
    expect(idempotencyKey(undefined)).toBeNull();
    for (const key of ['a', '"8e03978e-40d5"', '!~', 'x'.repeat(255)]) expect(idempotencyKey(key)).toBe(key);
  });

  it.each([[''], ['a b'], ['one, two'], ['ä'], ['a\n'], ['\x7f'], ['x'.repeat(256)], [['a']]])('refuses %j', (key) => {
    let error: unknown;
    try {
      idempotencyKey(key);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'validation-failed', options: { errors: [{ field: 'Idempotency-Key' }] } });
  });
});
