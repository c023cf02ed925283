import fc from 'fast-check';

const text = fc.string({ unit: 'binary', maxLength: 200 }).filter((value) => !value.includes('\0'));
/** What YAML, Compose, a shell or an editor could take for something else. */
const nasty = fc.constantFrom(
  '$',
  '$$',
  '${X}',
  "'",
  '"',
  '\n',
  '\r\n',
  '#',
  ': ',
  '- ',
  '\\',
  '\u0085',
  '\u2028',
  '|',
  '---\n',
);

/** Values that a caller may give: any text without NUL, and text full of what could be misread. */
export const nastyValue = fc.oneof(
  text,
  fc.array(fc.oneof(nasty, text), { maxLength: 8 }).map((parts) => parts.join('')),
);
