import 'reflect-metadata';
import { validateSync } from 'class-validator';
import { IsText, MAX_TEXT_BYTES, textProblem } from './text.decorator';

class Note {
  @IsText(8)
  text: unknown;

  @IsText()
  long: unknown = 'x';
}

describe('textProblem', () => {
  it.each([
    ['one character', 'x'],
    ['quotes, dollars, newlines and #', `'"$\`\\ $(id) \${HOME}\r\n\t# %`],
    ['pairs of surrogates', '😀 𝄞'],
    ['the last code point', '\u{10ffff}'],
    ['control characters other than NUL', '\u0001\u001b\u007f\u0085\u2028'],
    ['as many bytes as may be', 'x'.repeat(MAX_TEXT_BYTES)],
    ['as many bytes as may be, two to a character', 'ä'.repeat(MAX_TEXT_BYTES / 2)],
  ])('accepts %s', (_what, value) => {
    expect(textProblem(value)).toBeNull();
  });

  it.each([
    ['nothing', undefined, 'is required'],
    ['null', null, 'must be a string'],
    ['a number', 5, 'must be a string'],
    ['a list', ['x'], 'must be a string'],
    ['an object', { toString: () => 'x' }, 'must be a string'],
    ['the empty string', '', 'must not be empty; leave it out instead'],
    ['a NUL', 'a\0b', 'must not contain a NUL character'],
    ['a high surrogate alone', 'a\ud83d', 'must be well-formed Unicode: it contains half of a surrogate pair'],
    ['a low surrogate alone', '\ude00a', 'must be well-formed Unicode: it contains half of a surrogate pair'],
    ['a pair the wrong way round', '\ude00\ud83d', 'must be well-formed Unicode: it contains half of a surrogate pair'],
    ['one byte too many', 'x'.repeat(MAX_TEXT_BYTES + 1), 'must not be longer than 16384 bytes'],
    ['too many bytes in few characters', 'ä'.repeat(MAX_TEXT_BYTES / 2 + 1), 'must not be longer than 16384 bytes'],
  ])('refuses %s', (_what, value, problem) => {
    expect(textProblem(value)).toBe(problem);
  });

  it('counts bytes, not characters, against a limit of its own', () => {
    expect(textProblem('😀😀', 8)).toBeNull();
    expect(textProblem('😀😀x', 8)).toBe('must not be longer than 8 bytes');
  });
});

describe('IsText', () => {
  const constraints = (note: Partial<Note>) =>
    validateSync(Object.assign(new Note(), note)).map((error) => [error.property, error.constraints]);

  it('lets a good value pass', () => {
    expect(constraints({ text: 'good' })).toEqual([]);
  });

  it('says what is wrong, with the limit of the field', () => {
    expect(constraints({ text: 'too long a text', long: 7 })).toEqual([
      ['text', { isText: 'must not be longer than 8 bytes' }],
      ['long', { isText: 'must be a string' }],
    ]);
  });

  it('does not take an absent value for a good one', () => {
    expect(constraints({})).toEqual([['text', { isText: 'is required' }]]);
  });
});
