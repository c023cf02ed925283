import 'reflect-metadata';
import { validateSync } from 'class-validator';
import { environmentProblem, IsEnvironment } from './environment.decorator';

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`V${index}`, 'x']));

describe('environmentProblem', () => {
  it.each([
    ['nothing', {}],
    ['names of every form', { A: 'x', _: 'x', A_1: 'x', GIT_COMMIT_AUTHOR_NAME: 'x', ['N'.repeat(128)]: 'x' }],
    ['an empty value', { A: '' }],
    ['any text', { A: `'"$\`\\\r\n\t#😀` }],
    ['a value of 16 KB', { A: 'x'.repeat(16_384) }],
    ['200 variables', many(200)],
    ['what the controller only has a default for', { RATE_LIMIT_LIMIT: '10', CORS_ORIGIN: '*' }],
  ])('accepts %s', (_what, environment) => {
    expect(environmentProblem(environment)).toBeNull();
  });

  it.each([
    ['a list', []],
    ['null', null],
    ['nothing', undefined],
    ['text', 'A=b'],
    ['a number', 5],
  ])('refuses %s', (_what, environment) => {
    expect(environmentProblem(environment)).toBe('must be an object of strings');
  });

  it.each(['a', 'Path', '1A', '', 'A-B', 'A B', 'A=B', 'Ä', 'A\n', 'A\0', '__proto__', 'N'.repeat(129)])(
    'refuses the name %j',
    (name) => {
      expect(environmentProblem(Object.fromEntries([[name, 'x']]))).toMatch(/^has the name ".*": names are A-Z/);
    },
  );

  it('does not repeat a name at any length', () => {
    expect(environmentProblem({ ['n'.repeat(10_000)]: 'x' })?.length).toBeLessThan(300);
  });

  it.each([
    [5, 'must be a string'],
    [null, 'must be a string'],
    [undefined, 'is required'],
    [{}, 'must be a string'],
    ['a\0', 'must not contain a NUL character'],
    ['\ud800', 'must be well-formed Unicode: it contains half of a surrogate pair'],
    ['x'.repeat(16_385), 'must not be longer than 16384 bytes'],
  ])('names the variable of a wrong value', (value, problem) => {
    expect(environmentProblem({ GOOD: 'x', BAD: value })).toBe(`has a wrong value for BAD: it ${problem}`);
  });

  it('refuses more than 200 variables', () => {
    expect(environmentProblem(many(201))).toBe('must not have more than 200 variables');
  });

  it.each(['JWT_SECRET', 'DB_PASSWORD', 'STATIC_API_KEY', 'GIT_TOKEN', 'PORT', 'HOST'])('keeps %s', (name) => {
    expect(environmentProblem({ [name]: '' })).toMatch(`must not set ${name}`);
  });
});

describe('IsEnvironment', () => {
  it('says what is wrong without the value', () => {
    class Body {
      @IsEnvironment()
      environment = { TOKEN: 'Sup3rS3cret\0' };
    }
    const [error] = validateSync(new Body(), { validationError: { target: false, value: false } });
    expect(error?.constraints).toEqual({
      isEnvironment: 'has a wrong value for TOKEN: it must not contain a NUL character',
    });
    expect(JSON.stringify(error)).not.toContain('Sup3rS3cret');
  });
});
