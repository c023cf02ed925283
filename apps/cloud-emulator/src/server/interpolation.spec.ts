import { interpolate } from './interpolation';
import { RefusedError } from './refused.error';

const variables = { NAME: 'value', EMPTY: '', OTHER: 'other' };

describe('interpolate', () => {
  it.each([
    ['no dollar', 'no dollar'],
    ['', ''],
    ['$NAME', 'value'],
    ['${NAME}', 'value'],
    ['<$NAME-$OTHER>', '<value-other>'],
    ['$NAME_X', ''],
    ['${NAME}_X', 'value_X'],
    ['$UNSET.', '.'],
    ['${NAME}${OTHER}', 'valueother'],
    ['line 1\n$NAME\n', 'line 1\nvalue\n'],
  ])('replaces names: %j', (text, expected) => expect(interpolate(text, variables)).toBe(expected));

  it.each([
    ['$$', '$'],
    ['$$NAME', '$NAME'],
    ['$${NAME}', '${NAME}'],
    ['$$$NAME', '$value'],
    ['$$$$', '$$'],
    ['a$$b$$c', 'a$b$c'],
  ])('makes one dollar of two: %j', (text, expected) => expect(interpolate(text, variables)).toBe(expected));

  it.each([
    ['${UNSET-default}', 'default'],
    ['${EMPTY-default}', ''],
    ['${EMPTY:-default}', 'default'],
    ['${NAME:-default}', 'value'],
    ['${UNSET:-}', ''],
    ['${NAME:+set}', 'set'],
    ['${EMPTY+set}', 'set'],
    ['${EMPTY:+set}', ''],
    ['${UNSET+set}', ''],
    ['${NAME:?must be set}', 'value'],
    ['${EMPTY?must be set}', ''],
    ['${UNSET:-${OTHER}}', 'other'],
    ['${UNSET:-${ALSO_UNSET:-deep}}!', 'deep!'],
    ['${UNSET:-$OTHER}', 'other'],
  ])('knows defaults and conditions: %j', (text, expected) => expect(interpolate(text, variables)).toBe(expected));

  it.each(['${UNSET?}', '${UNSET:?tell me}', '${EMPTY:?tell me}'])(
    'refuses a missing required variable: %j',
    (text) => {
      expect(() => interpolate(text, variables)).toThrow(/required variable (UNSET|EMPTY) is missing/);
    },
  );

  // compose-go, template.go: only what begins with a brace can be invalid.
  it.each(['$', 'price: 5$', '$ NAME', '$1', '$-', "$'"])('leaves a dollar before anything else: %j', (text) =>
    expect(interpolate(text, variables)).toBe(text),
  );

  it.each(['${', '${}', '${NAME', '${1A}', '${NAME!x}', '${A B}', '${UNSET:-a\nb}', '$${NAME}${'])(
    'refuses what Compose refuses: %j',
    (text) => expect(() => interpolate(text, variables)).toThrow(RefusedError),
  );

  it('does not show the text that it refuses', () => {
    expect(() => interpolate('first\nsecret${', variables)).toThrow('invalid interpolation format at line 2');
    expect(() => interpolate('first\nsecret${', variables)).not.toThrow(/secret/);
  });

  it('takes only variables of its own, not those every object has', () => {
    expect(interpolate('[$constructor]', {})).toBe('[]');
  });
});
