import type { Logger } from '@agent-controller/kernel';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseApiKeyEntries } from './api-key-entry';
import { ApiKeyAuthenticator, sha256, toKnownKey } from './api-key.authenticator';
import { ApiKeyFile } from './api-key.file';

const entry = (name: string, role: string, key: string) => `${name}:${role}:${sha256(key).toString('hex')}`;

describe('parseApiKeyEntries', () => {
  it('reads lines and commas, and leaves comments out', () => {
    const text = `# deploy, since May\n${entry('deploy', 'operator', 'a')},${entry('deploy', 'operator', 'b')}\n\n  ${entry('x', 'viewer', 'c')}\n`;
    expect(parseApiKeyEntries(text).map(({ name, role }) => `${name} ${role}`)).toEqual([
      'deploy operator',
      'deploy operator',
      'x viewer',
    ]);
    expect(parseApiKeyEntries('')).toEqual([]);
  });

  it.each([
    'the-key-itself-by-mistake',
    'deploy:operator:the-key-itself-by-mistake',
    entry('deploy', 'root', 'a'),
    entry('', 'admin', 'a'),
    entry('Deploy', 'admin', 'a'),
    entry('a b', 'admin', 'a'),
    `${entry('deploy', 'admin', 'a')}:more`,
    entry('deploy', 'admin', 'a').slice(0, -1),
  ])('refuses %j, and does not repeat it', (wrong) => {
    const read = () => parseApiKeyEntries(`${entry('good', 'admin', 'k')},${wrong}`);
    expect(read).toThrow(/^entry 2 is not NAME:ROLE:SHA256/);
    expect(read).not.toThrow(/by-mistake|root:|deploy/);
  });
});

describe('ApiKeyAuthenticator', () => {
  it('knows each key by its digest', async () => {
    const text = [entry('a', 'viewer', 'one'), entry('a', 'operator', 'two'), entry('b', 'admin', 'three')].join();
    const keys = parseApiKeyEntries(text).map(toKnownKey);
    const authenticator = new ApiKeyAuthenticator(() => keys);
    const answers = await Promise.all(
      ['one', 'two', 'three', 'four', ''].map((key) => authenticator.authenticate(key)),
    );
    expect(answers).toEqual([
      { identity: { subject: 'api-key:a', role: 'viewer' } },
      { identity: { subject: 'api-key:a', role: 'operator' } },
      { identity: { subject: 'api-key:b', role: 'admin' } },
      null,
      null,
    ]);
  });
});

describe('toKnownKey', () => {
  it('lets the static key be exchanged: an entry of its name has the same clients', () => {
    const subjects = parseApiKeyEntries(`${entry('static-api-key', 'admin', 'k')},${entry('a', 'admin', 'k')}`)
      .map(toKnownKey)
      .map(({ subject }) => subject);
    expect(subjects).toEqual(['static-api-key', 'api-key:a']);
  });
});

describe('ApiKeyFile', () => {
  let folder: string;
  let path: string;
  let file: ApiKeyFile;
  let errors: object[];
  const logger = {
    ...{ debug: () => undefined, info: () => undefined, warn: () => undefined },
    error: (fields: object) => void errors.push(fields),
  } as Logger;

  beforeEach(() => {
    errors = [];
    folder = mkdtempSync(join(tmpdir(), 'api-keys-'));
    path = join(folder, 'keys');
    writeFileSync(path, entry('a', 'admin', 'old'));
    file = new ApiKeyFile(path, logger);
  });
  afterEach(() => {
    file.close();
    rmSync(folder, { recursive: true });
  });

  const knows = (...keys: string[]) => expect(file.keys().map(({ digest }) => digest)).toEqual(keys.map(sha256));
  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await sleep(50);
  }

  it('exchanges a key without a restart: both work, then only the new one', async () => {
    knows('old');
    writeFileSync(path, `${entry('a', 'admin', 'old')}\n${entry('a', 'admin', 'new')}`);
    await until(() => file.keys().length === 2);
    knows('old', 'new');
    // As containers are given new files.
    writeFileSync(`${path}.new`, entry('a', 'admin', 'new'));
    renameSync(`${path}.new`, path);
    await until(() => file.keys().length === 1);
    knows('new');
  });

  it.each([
    ['wrong', 'a:admin:secret-by-mistake'],
    ['empty', ''],
  ])('stays with what it had when the file is %s, and says so once', async (_what, text) => {
    writeFileSync(path, text);
    await until(() => errors.length > 0);
    knows('old');
    rmSync(path);
    await until(() => errors.length > 1);
    knows('old');
    expect(JSON.stringify(errors)).not.toContain('by-mistake');
    writeFileSync(path, entry('a', 'admin', 'new'));
    await until(() => file.keys()[0]?.digest.equals(sha256('new')) ?? false);
    expect(errors).toHaveLength(2);
  });

  it('says at the start what is wrong', () => {
    expect(() => new ApiKeyFile(join(folder, 'none'), logger)).toThrow('it cannot be read (ENOENT)');
    writeFileSync(path, 'wrong');
    expect(() => new ApiKeyFile(path, logger)).toThrow('entry 1 is not');
  });
});
