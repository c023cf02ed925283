import { Secret } from '@agent-controller/kernel';
import { randomBytes } from 'node:crypto';
import { echoCleaner } from './echo-cleaner';

const TOKEN = 'token-of-the-project';
const SECRET = 'pa"ss\\wörd-17';
const USER_DATA = `#cloud-config\nwrite_files:\n  - path: /opt/x\n    content: |\n      DB_PASSWORD=${SECRET}\n`;
const ESCAPED = JSON.stringify({ user_data: USER_DATA });
const clean = echoCleaner(new Secret(TOKEN), USER_DATA);

describe('echoCleaner', () => {
  it.each([
    ['the token', `Bearer ${TOKEN}`],
    ['the user data', USER_DATA],
    ['a piece of it', USER_DATA.slice(20, -2)],
    ['the body', ESCAPED],
    ['the body within a body', JSON.stringify(ESCAPED)],
    ['base64', Buffer.from(ESCAPED).toString('base64')],
    ['base64url', Buffer.from(USER_DATA).toString('base64url')],
    ['hexadecimal', Buffer.from(USER_DATA).toString('hex')],
    ['percent signs', encodeURIComponent(USER_DATA)],
  ])('cuts out an echo of %s', (_what, echo) => {
    const said = clean(`invalid input: ${echo}`);
    expect(said).toMatch(/^invalid/);
    for (const secret of [TOKEN, SECRET, JSON.stringify(SECRET).slice(1, -1), 'DB_PASSWORD', 'wörd']) {
      expect(said).not.toContain(secret);
    }
    expect(said).not.toMatch(/[\w+/=%-]{30}/);
  });

  it.each([
    "invalid input in field 'user_data'; user_data: Length must be between 0 and 32768.",
    'server name is already used (uniqueness_error)',
    'request 3f2504e0-4f89-11d3-9a0c-0305e82c3301 failed',
  ])('leaves what a provider says by itself: %s', (text) => {
    expect(clean(text)).toBe(text);
  });

  it('is quick with all that fits into a request, and cuts what is long', () => {
    const long = echoCleaner(new Secret(TOKEN), randomBytes(32_000).toString('hex'));
    expect(long('word '.repeat(10_000))).toHaveLength(500);
  });
});
