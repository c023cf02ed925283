import 'reflect-metadata';
import { AppError, type FieldError } from '@agent-controller/kernel';
import { IsAbsentOr, IsText } from '@agent-controller/validation';
import { Type } from 'class-transformer';
import { IsInt, Max, Min, ValidateNested } from 'class-validator';
import { validationPipe } from './validation.pipe';

class Inner {
  @IsText()
  text!: string;
}

class Body {
  @IsText(4)
  name!: string;

  @IsAbsentOr()
  @Type(() => Number)
  @IsInt({ message: 'must be a whole number' })
  @Min(1)
  @Max(5)
  limit?: number;

  @IsAbsentOr()
  @ValidateNested()
  @Type(() => Inner)
  inner?: Inner;

  @IsAbsentOr()
  @ValidateNested({ each: true })
  @Type(() => Inner)
  many?: Inner[];
}

const pipe = validationPipe();
const transform = (value: unknown) => pipe.transform(value, { type: 'body', metatype: Body });

async function refusal(value: unknown): Promise<AppError> {
  const error: unknown = await transform(value).then(
    () => 'accepted',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

async function fields(value: unknown): Promise<FieldError[]> {
  const { code, options } = await refusal(value);
  expect(code).toBe('validation-failed');
  return options.errors ?? [];
}

describe('validationPipe', () => {
  it('makes an instance of what is valid', async () => {
    const body = await transform({ name: 'good', limit: '3', inner: { text: 'x' } });
    expect(body).toBeInstanceOf(Body);
    expect(body).toEqual({ name: 'good', limit: 3, inner: { text: 'x' } });
  });

  it('numbers the entries of a list', async () => {
    const found = await fields({ name: 'good', many: [{ text: 'x' }, { text: 5 }, { text: 'y', extra: 1 }] });
    expect(found).toEqual([
      { field: 'many[1].text', message: 'must be a string' },
      { field: 'many[2].extra', message: 'is not a field of this request' },
    ]);
  });

  it('has one entry per field, with the path to it', async () => {
    const found = await fields({ name: '', limit: 'x', inner: { text: 5 }, extra: 1 });
    expect(found.sort((a, b) => a.field.localeCompare(b.field))).toEqual([
      { field: 'extra', message: 'is not a field of this request' },
      { field: 'inner.text', message: 'must be a string' },
      { field: 'limit', message: expect.any(String) },
      { field: 'name', message: 'must not be empty; leave it out instead' },
    ]);
  });

  it('names the fields in its message, and shows no value', async () => {
    const error = await refusal({ name: 'Sup3rS3cret', extra: 'Sup3rS3cret' });
    expect(error.message).toMatch(/^The request is not valid\. See: (name, extra|extra, name)\.$/);
    expect(JSON.stringify([error.message, error.options])).not.toContain('Sup3rS3cret');
  });

  it.each([[undefined], [null], [{}]])('misses what is required in %j', async (value) => {
    expect(await fields(value)).toEqual([{ field: 'name', message: 'is required' }]);
  });

  it.each([[[]], [[{ name: 'good' }]], ['text'], [5], [true]])('refuses %j, which is no object', async (value) => {
    expect(await fields(value)).toContainEqual({ field: 'name', message: 'is required' });
  });

  it.each(['constructor', 'hasOwnProperty', '__proto__', 'isPrototypeOf', 'toString'])(
    'refuses %s, which every object inherits',
    async (name) => {
      const value = JSON.parse(`{"name":"good","${name}":1}`) as unknown;
      expect(await fields(value)).toEqual([{ field: name, message: 'is not a field of this request' }]);
    },
  );
});
