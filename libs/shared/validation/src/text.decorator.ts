import { ValidateBy, type ValidationOptions } from 'class-validator';

export const MAX_TEXT_BYTES = 16 * 1024;

/** Why a value cannot be carried to a server, or null when it can. */
export function textProblem(value: unknown, maxBytes = MAX_TEXT_BYTES): string | null {
  if (value === undefined) return 'is required';
  if (typeof value !== 'string') return 'must be a string';
  if (value === '') return 'must not be empty; leave it out instead';
  if (value.includes('\0')) return 'must not contain a NUL character';
  if (/\p{Surrogate}/u.test(value)) return 'must be well-formed Unicode: it contains half of a surrogate pair';
  if (Buffer.byteLength(value, 'utf8') > maxBytes) return `must not be longer than ${maxBytes} bytes`;
  return null;
}

/** A non-empty string of at most `maxBytes` bytes of UTF-8, without NUL and lone surrogates. */
export function IsText(maxBytes = MAX_TEXT_BYTES, options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isText',
      validator: {
        validate: (value) => textProblem(value, maxBytes) === null,
        defaultMessage: (args) => textProblem(args?.value, maxBytes) ?? '',
      },
    },
    options,
  );
}
