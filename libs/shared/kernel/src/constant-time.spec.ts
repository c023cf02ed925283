import { isSameText } from './constant-time';

describe('isSameText', () => {
  it.each([
    ['', '', true],
    ['é', 'é', true],
    ['abc', 'abd', false],
    ['abc', 'abcd', false],
    ['', 'a', false],
  ])('of %j and %j is %s', (one, other, isSame) => {
    expect(isSameText(one, other)).toBe(isSame);
  });
});
