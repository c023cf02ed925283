import fc from 'fast-check';
import { jsonProblem } from './json-text';

const INHERITED = 'is not a field of this request';

describe('jsonProblem', () => {
  it.each([
    ['{"a":1,"a":2}', 'a', 'is given twice'],
    ['{"a":1,"\\u0061":2}', 'a', 'is given twice'],
    ['{"a":"}","b":"\\"","b":null}', 'b', 'is given twice'],
    ['{"a":[{"b":1},{"b":1,"c":{},"b":2}]}', 'a[1].b', 'is given twice'],
    ['[[1,2],{"x":1,"y":[1],"x":1}]', '[1].x', 'is given twice'],
    ['{"":1,"":1}', '""', 'is given twice'],
    ['{"__proto__":{"x":1}}', '__proto__', INHERITED],
    ['{"\\u005f_proto__":{"x":1}}', '__proto__', INHERITED],
    ['{"a":{"constructor":{"prototype":{}}}}', 'a.constructor', INHERITED],
    ['{"hasOwnProperty":1}', 'hasOwnProperty', INHERITED],
    ['{"a\\n\\u202eb":1,"a\\n\\u202eb":2}', 'a??b', 'is given twice'],
  ])('finds what is wrong in %s', (text, field, message) => {
    expect(jsonProblem(text)).toEqual({ field, message });
  });

  it('finds what is too deep, however deep it is', () => {
    for (const depth of [17, 100_000]) {
      expect(jsonProblem('['.repeat(depth) + ']'.repeat(depth))?.message).toBe('must not be deeper than 16');
      expect(jsonProblem('{"a":'.repeat(depth))?.message).toBe('must not be deeper than 16');
    }
    expect(jsonProblem('['.repeat(16) + ']'.repeat(16))).toBeNull();
  });

  it('reads a string without an end once, however many quotes are in it', () => {
    // Read again from each quote, this would take longer than any test may.
    const quotes = '\\"'.repeat(1_000_000);
    for (const text of [`{"${quotes}`, `{"a":"${quotes}`, `["${quotes}`, `{"${quotes}\\`])
      expect(jsonProblem(text)).toBeNull();
  });

  it('says no more of a long name than its beginning', () => {
    const name = 'x'.repeat(16_000);
    expect(jsonProblem(`{"${name}":1,"${name}":1}`)).toEqual({ field: 'x'.repeat(64), message: 'is given twice' });
  });

  it.each(['', ' ', 'null', '"a,b"', '{"a":"a","b":["a","a"],"c":{"a":1}}', '[{"a":1},{"a":1}]', '{"A":1,"a":1}'])(
    'finds nothing in %s',
    (text) => {
      expect(jsonProblem(text)).toBeNull();
    },
  );

  it.each(['{', '}', ']]]', '{"a', '{"\\x":1}', '{a:1,a:1}', '"\\', '{"a"}', ',,,:::', '\u0000'])(
    'leaves %j, which is no JSON, to the parser',
    (text) => {
      expect(jsonProblem(text)).toBeNull();
      expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    },
  );

  it('finds nothing in what JSON.stringify writes, since objects have each name once', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const isInherited =
          /"(__\w+__|constructor|toString|toLocaleString|valueOf|hasOwnProperty|isPrototypeOf|propertyIsEnumerable)":/;
        const text = JSON.stringify(value, null, space);
        fc.pre(!isInherited.test(text));
        expect(jsonProblem(text)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it('finds a name that stands twice, wherever it is', () => {
    const name = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 20 })
      .filter((each) => !(each in Object.prototype));
    fc.assert(
      fc.property(name, fc.jsonValue(), fc.jsonValue(), fc.nat({ max: 5 }), (key, one, two, depth) => {
        fc.pre(
          !/__|constructor|toString|toLocaleString|valueOf|OwnProperty|isPrototypeOf|Enumerable/.test(
            JSON.stringify([one, two]),
          ),
        );
        const text = `{${JSON.stringify(key)}:${JSON.stringify(one)},${JSON.stringify(key)}:${JSON.stringify(two)}}`;
        expect(jsonProblem('[0,'.repeat(depth) + text + ']'.repeat(depth))?.message).toMatch(/given twice|deeper/);
      }),
      { numRuns: 500 },
    );
  });
});
