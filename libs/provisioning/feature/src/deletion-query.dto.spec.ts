import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { DeletionQueryDto } from './deletion-query.dto';

function problems(query: object): Record<string, string> {
  const errors = validateSync(plainToInstance(DeletionQueryDto, query), {
    whitelist: true,
    forbidNonWhitelisted: true,
    stopAtFirstError: true,
  });
  return Object.fromEntries(
    errors.map(({ property, constraints = {} }) => [property, Object.values(constraints).join(' | ')]),
  );
}

describe('DeletionQueryDto', () => {
  it.each([
    {},
    { abandon: 'false' },
    { abandon: 'true', reason: 'x' },
    { abandon: 'true', reason: 'ä'.repeat(500) },
    { abandon: 'true', reason: '🦊'.repeat(500) },
  ])('takes %j', (query) => {
    expect(problems(query)).toEqual({});
  });

  it.each([
    [{ abandon: 'yes' }, 'abandon', 'must be true or false'],
    [{ abandon: '' }, 'abandon', 'must be true or false'],
    [{ abandon: 'true' }, 'reason', 'is required with abandon=true'],
    [{ abandon: 'true', reason: '' }, 'reason', 'must not be empty'],
    [{ abandon: 'true', reason: ' \n\t\u00a0' }, 'reason', 'must not be blank'],
    [{ abandon: 'true', reason: 'x'.repeat(501) }, 'reason', 'not be longer than 500 characters'],
    [{ abandon: 'true', reason: ['a', 'b'] }, 'reason', 'must be a string'],
    [{ abandon: 'true', reason: 'a\0b' }, 'reason', 'NUL'],
    // Whoever gives a reason did not mean a deletion.
    [{ reason: 'closed' }, 'reason', 'only with abandon=true'],
    [{ abandon: 'false', reason: 'closed' }, 'reason', 'only with abandon=true'],
    [{ abandom: 'true' }, 'abandom', ''],
  ])('refuses %j', (query, field, message) => {
    expect(Object.keys(problems(query))).toEqual([field]);
    expect(problems(query)[field]).toContain(message);
  });
});
