import { inspect } from 'node:util';
import { Secret } from './secret';

describe('Secret', () => {
  const secret = new Secret('hunter2');

  it.each([
    ['a template string', `${secret}`],
    ['JSON', JSON.stringify({ secret })],
    ['util.inspect', inspect({ secret }, { showHidden: true, depth: 9 })],
    ['concatenation', '' + secret],
  ])('prints as redacted in %s', (_where, printed) => {
    expect(printed).toContain('[redacted]');
    expect(printed).not.toContain('hunter2');
  });

  it('reveals its value when asked', () => {
    expect(secret.reveal()).toBe('hunter2');
  });
});
