import { canonicalJson } from './canonical-json';

describe('canonicalJson', () => {
  it('does not depend on the order of fields, at any depth', () => {
    const one = { b: 1, a: { d: [{ y: 1, x: 2 }], c: 'ü' } };
    const other = { a: { c: 'ü', d: [{ x: 2, y: 1 }] }, b: 1 };
    expect(canonicalJson(one)).toBe(canonicalJson(other));
    expect(canonicalJson(one)).toBe('{"a":{"c":"ü","d":[{"x":2,"y":1}]},"b":1}');
  });

  it.each([
    [{ a: 1 }, { a: '1' }],
    [{ a: null }, {}],
    [{ a: [1, 2] }, { a: [2, 1] }],
    [{ a: 'b","c":"d' }, { a: 'b', c: 'd' }],
    [{ a: {} }, { a: [] }],
  ])('tells %j from %j', (one, other) => {
    expect(canonicalJson(one)).not.toBe(canonicalJson(other));
  });

  it('leaves out what has no value', () => {
    expect(canonicalJson({ a: undefined, b: [undefined] })).toBe('{"b":[null]}');
  });
});
