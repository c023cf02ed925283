import {
  everythingPrinted,
  json,
  rejection,
  ScriptedHttp,
  seenByStranger,
  type ScriptedStep,
} from '@agent-controller/cloud-port/testing';
import { Secret } from '@agent-controller/kernel';
import { error, owner } from './hetzner-answers.fixture';
import { HetznerProvider } from './hetzner.provider';

const TOKEN = 'hetzner-token-that-nobody-may-see';
const SECRET = 'secret-of-the-user-data';
const USER_DATA = `#cloud-config\nwrite_files:\n  - content: ${SECRET}\n`;
const spec = {
  owner,
  name: 'web',
  serverType: 'cx23',
  location: 'fsn1',
  image: 'debian-13',
  sshKeyIds: ['1'],
  firewall: '7',
};

const echo = { error: { code: `code ${TOKEN}`, message: `Authorization: Bearer ${TOKEN}`, details: { t: TOKEN } } };
const ANSWERS: [string, ScriptedStep['answer']][] = [
  ['401', error(401, 'unauthorized', 'unable to authenticate')],
  ['404', error(404, 'not_found', 'not found')],
  ['409', error(409, 'conflict', 'conflict')],
  ['422', error(422, 'invalid_input', 'invalid', { fields: [{ name: 'name', messages: [TOKEN] }] })],
  ['429', json({ error: { code: 'rate_limit_exceeded' } }, 429, { 'retry-after': '1' })],
  ['empty 500', { status: 500 }],
  ['an HTML 502 that echoes', { status: 502, body: `<html>${TOKEN}</html>` }],
  ['an error that echoes', json(echo, 400, { 'x-correlation-id': TOKEN })],
  ['an error that echoes the body', error(422, 'invalid_input', JSON.stringify({ user_data: USER_DATA }))],
  [
    'a field that echoes the body',
    error(422, 'invalid_input', 'no', { fields: [{ name: 'x', messages: [USER_DATA] }] }),
  ],
  ['an unreadable answer that echoes', json({ server: { [TOKEN]: TOKEN } }, 200, { 'x-correlation-id': TOKEN })],
  ['a redirect', { status: 302, headers: { location: `/elsewhere?${TOKEN}` } }],
  ['a dropped connection', 'drop'],
  ['half an answer', 'cut'],
  ['silence', 'hang'],
];

const providerAt = (baseUrl: string) => new HetznerProvider({ token: new Secret(TOKEN), baseUrl, timeoutMs: 300 });

describe("Hetzner's token is never printed", () => {
  it.each(ANSWERS)('by the error after %s', async (_, answer) => {
    const http = await ScriptedHttp.start([
      { method: 'GET', path: '/servers/1', answer },
      { method: 'POST', path: '/servers', answer },
    ]);
    const provider = providerAt(http.url);
    const errors = [
      await rejection(provider.get('1')),
      await rejection(provider.create({ ...spec, userData: USER_DATA })),
    ];
    expect(http.requests.map(({ headers }) => headers.authorization)).toEqual(Array(2).fill(`Bearer ${TOKEN}`));
    http.done();
    await http.close();
    for (const thrown of errors) expect(everythingPrinted(thrown)).not.toContain(TOKEN);
    // Only the order sends any.
    expect(everythingPrinted(errors[1])).not.toContain(SECRET);
  });

  it('nor sent to one whose certificate nobody has signed', async () => {
    const seen = await seenByStranger(async (url) => {
      expect(await rejection(providerAt(url).get('1'))).toMatchObject({ kind: 'unavailable' });
    });
    expect(seen).toEqual({ received: '', connections: 2 });
  });

  it('when nobody listens, or there is no such host', async () => {
    const http = await ScriptedHttp.start([]);
    await http.close();
    for (const url of [http.url, 'http://no-such-host.invalid']) {
      expect(everythingPrinted(await rejection(providerAt(url).get('1')))).not.toContain(TOKEN);
    }
  });

  it('when the token cannot be sent at all', async () => {
    const token = `${TOKEN}\u0001\u20ac`;
    const provider = new HetznerProvider({ token: new Secret(token), baseUrl: 'http://127.0.0.1:9', timeoutMs: 300 });
    expect(everythingPrinted(await rejection(provider.get('1')))).not.toContain(TOKEN);
  });

  it('by the provider itself', () => {
    expect(everythingPrinted(providerAt('http://127.0.0.1:9'))).not.toContain(TOKEN);
    expect(everythingPrinted({ nested: [providerAt('http://127.0.0.1:9')] })).not.toContain(TOKEN);
  });
});
