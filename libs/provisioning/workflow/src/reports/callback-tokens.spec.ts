import { SecretBox } from '@agent-controller/kernel';
import { randomBytes } from 'node:crypto';
import type { WorkflowOptions } from '../workflow.options';
import { bootstrapTokenHash, CallbackTokens, mayRedeem, mayReport, tokenHash } from './callback-tokens';

const box = new SecretBox([randomBytes(32)]);
const tokens = (callbacks: WorkflowOptions['callbacks']) => new CallbackTokens(box, { callbacks } as WorkflowOptions);

describe('CallbackTokens', () => {
  const withUrl = tokens({ publicUrl: 'https://controller.example/base/', pins: ['PIN'] });

  it('gives each attempt a token of its own, the same again for the same attempt', () => {
    const first = withUrl.callback({ id: 'a', attempt: 1 });
    expect(first?.url).toBe('https://controller.example/base/api/provisioning/callbacks/a');
    expect(first?.pins).toEqual(['PIN']);
    expect(withUrl.callback({ id: 'a', attempt: 1 })).toEqual(first);
    expect(withUrl.callback({ id: 'a', attempt: 2 })?.token).not.toBe(first?.token);
    expect(withUrl.callback({ id: 'b', attempt: 1 })?.token).not.toBe(first?.token);
    expect(withUrl.storedHashes({ id: 'a', attempt: 1 }).callbackTokenHash).toBe(tokenHash(first?.token ?? ''));
  });

  it('gives each attempt a bootstrap token, which is good for that attempt only', () => {
    const reference = { id: 'a', attempt: 1 };
    const first = withUrl.redemption(reference);
    const { token = '' } = first ?? {};
    expect(first).toMatchObject({
      url: 'https://controller.example/base/api/provisioning/bootstrap/a',
      pins: ['PIN'],
      provisioningId: 'a',
      attempt: 1,
    });
    expect(token).not.toBe(withUrl.callback(reference)?.token);
    const row = { ...reference, ...withUrl.storedHashes(reference) };
    expect(row.bootstrapTokenHash).toBe(bootstrapTokenHash(token, 1));
    expect([mayRedeem(token, row), mayReport(token, row)]).toEqual([true, true]);
    expect(mayRedeem(token, { ...row, attempt: 2 })).toBe(false);
    expect(mayRedeem(token, { ...row, bootstrapTokenHash: null })).toBe(false);
    expect(mayRedeem('', { ...row, bootstrapTokenHash: null })).toBe(false);
    expect(mayRedeem(token, null)).toBe(false);
    const callbackToken = withUrl.callback(reference)?.token ?? '';
    expect([mayRedeem(callbackToken, row), mayReport(callbackToken, row)]).toEqual([false, true]);
  });

  it('finds the callback token that a row accepts after the sealing key was changed', () => {
    const [older, newer] = [randomBytes(32), randomBytes(32)];
    const options = { callbacks: { publicUrl: 'https://controller.example', pins: [] } } as unknown as WorkflowOptions;
    const before = new CallbackTokens(new SecretBox([older]), options);
    const row = { id: 'a', attempt: 1, ...before.storedHashes({ id: 'a', attempt: 1 }) };
    const after = new CallbackTokens(new SecretBox([newer, older]), options);
    expect(after.acceptedCallback(row)).toEqual(before.callback(row));
    expect(new CallbackTokens(new SecretBox([newer]), options).acceptedCallback(row)).toBeUndefined();
  });

  it('gives the same tokens whichever keys there are, once there is an installation’s secret', () => {
    const [older, newer, secret] = [randomBytes(32), randomBytes(32), randomBytes(32)];
    const options = { callbacks: { publicUrl: 'https://controller.example', pins: [] } } as unknown as WorkflowOptions;
    const [before, after] = [older, newer].map((key) => new CallbackTokens(new SecretBox([key], secret), options));
    const attempt = { id: 'a', attempt: 1 };
    expect(after?.storedHashes(attempt)).toEqual(before?.storedHashes(attempt));
    expect(after?.redemption(attempt)).toEqual(before?.redemption(attempt));
    const row = { ...attempt, ...before!.storedHashes(attempt) };
    expect(after?.acceptedCallback(row)).toEqual(before?.callback(attempt));
    // Made by a controller of the release before.
    const earlier = new CallbackTokens(new SecretBox([older]), options);
    const its = { ...attempt, ...earlier.storedHashes(attempt) };
    expect(before?.acceptedCallback(its)).toEqual(earlier.callback(attempt));
  });

  it('gives none without a public address', () => {
    expect(tokens(null).callback({ id: 'a', attempt: 1 })).toBeUndefined();
    expect(tokens(null).redemption({ id: 'a', attempt: 1 })).toBeUndefined();
    expect(tokens(null).storedHashes({ id: 'a', attempt: 1 })).toEqual({
      callbackTokenHash: null,
      bootstrapTokenHash: null,
    });
  });
});
