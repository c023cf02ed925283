import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv as parseDotEnv } from 'node:util';
import { ENV_VARIABLES, parseEnv } from './env';

const text = readFileSync(join(__dirname, '../../../.env.example'), 'utf8');
const example = parseDotEnv(text) as Record<string, string>;

const filled: Record<string, string> = {
  ...example,
  DATABASE_URL: 'postgres://user:password@127.0.0.1:5432/agent_controller',
  ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
  STATIC_API_KEY: randomBytes(32).toString('hex'),
};

describe('.env.example', () => {
  it('lists exactly the variables of the schema, in its order', () => {
    expect([...text.matchAll(/^(\w+)=/gm)].map(([, name]) => name)).toEqual(ENV_VARIABLES);
    expect(Object.keys(example).sort()).toEqual([...ENV_VARIABLES].sort());
  });

  it('says in one line above each what it is', () => {
    const lines = text.split('\n');
    for (const name of ENV_VARIABLES) {
      const index = lines.findIndex((line) => line.startsWith(`${name}=`));
      expect(`${name} ${lines[index - 1]}`).toMatch(/^\w+ # \S.{10,}/);
    }
  });

  it('can be used once the required ones are filled in', () => {
    expect(() => parseEnv(filled)).not.toThrow();
  });

  it('shows the defaults', () => {
    const { DATABASE_URL, ENCRYPTION_KEYS, STATIC_API_KEY, AUTHENTICATION_METHOD } = filled;
    const required = { DATABASE_URL, ENCRYPTION_KEYS, STATIC_API_KEY, AUTHENTICATION_METHOD };
    expect(parseEnv(filled)).toEqual(parseEnv(required));
    const env = parseEnv(required) as Record<string, unknown>;
    const withDefault = ENV_VARIABLES.filter((name) => !(name in required) && env[name] !== undefined);
    for (const name of withDefault) expect(`${name}=${example[name]}`).toBe(`${name}=${env[name]}`);
  });

  it('holds no secret', () => {
    for (const name of ENV_VARIABLES.filter((each) => /TOKEN|KEYS?$|PASSWORD|DATABASE/.test(each))) {
      expect(`${name}=${example[name]}`).toBe(`${name}=`);
    }
  });
});
