import { SecretBox } from '@agent-controller/kernel';
import { randomBytes } from 'node:crypto';
import type { WorkflowOptions } from '../workflow.options';
import { CallbackTokens, tokenHash } from './callback-tokens';

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
    expect(withUrl.storedHash({ id: 'a', attempt: 1 })).toBe(tokenHash(first?.token ?? ''));
  });

  it('gives none without a public address', () => {
    expect(tokens(null).callback({ id: 'a', attempt: 1 })).toBeUndefined();
    expect(tokens(null).storedHash({ id: 'a', attempt: 1 })).toBeNull();
  });
});
