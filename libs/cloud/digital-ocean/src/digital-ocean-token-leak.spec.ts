import {
  everythingPrinted,
  json,
  rejection,
  ScriptedHttp,
  seenByStranger,
  type ScriptedStep,
} from '@agent-controller/cloud-port/testing';
import { Secret } from '@agent-controller/kernel';
import { error, owner } from './digital-ocean-answers.fixture';
import { DigitalOceanProvider } from './digital-ocean.provider';

const TOKEN = 'digital-ocean-token-that-nobody-may-see';
const SECRET = 'secret-of-the-user-data';
const USER_DATA = `#cloud-config\nwrite_files:\n  - content: ${SECRET}\n`;
const spec = {
  owner,
  name: 'web',
  serverType: 's-1vcpu-1gb',
  location: 'fra1',
  image: 'debian-13-x64',
  sshKeyIds: ['1'],
  firewall: 'agent-controller-firewall-x',
};

const echo = { id: `code ${TOKEN}`, message: `Authorization: Bearer ${TOKEN}`, request_id: TOKEN };
const ANSWERS: [string, ScriptedStep['answer']][] = [
  ['401', error(401, 'unauthorized', 'unable to authenticate')],
  ['404', error(404, 'not_found', 'not found')],
  ['409', error(409, 'conflict', 'conflict')],
  ['422', error(422, 'unprocessable_entity', TOKEN)],
  ['429', json({ id: 'too_many_requests' }, 429, { 'retry-after': '1' })],
  ['empty 500', { status: 500 }],
  ['an HTML 502 that echoes', { status: 502, body: `<html>${TOKEN}</html>` }],
  ['an error that echoes', json(echo, 400, { 'x-request-id': TOKEN })],
  ['an error that echoes the body', error(422, 'unprocessable_entity', JSON.stringify({ user_data: USER_DATA }))],
  ['an unreadable answer that echoes', json({ droplet: { [TOKEN]: TOKEN } }, 200, { 'x-request-id': TOKEN })],
  ['a redirect', { status: 302, headers: { location: `/elsewhere?${TOKEN}` } }],
  ['a dropped connection', 'drop'],
  ['half an answer', 'cut'],
  ['silence', 'hang'],
];

const providerAt = (baseUrl: string) => new DigitalOceanProvider({ token: new Secret(TOKEN), baseUrl, timeoutMs: 300 });

describe("DigitalOcean's token is never printed", () => {
  it.each(ANSWERS)('by the error after %s', async (_, answer) => {
    const http = await ScriptedHttp.start([
      { method: 'GET', path: '/droplets/1', answer },
      { method: 'POST', path: '/droplets', answer },
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
    const provider = new DigitalOceanProvider({
      token: new Secret(token),
      baseUrl: 'http://127.0.0.1:9',
      timeoutMs: 300,
    });
    expect(everythingPrinted(await rejection(provider.get('1')))).not.toContain(TOKEN);
  });

  it('by the provider itself', () => {
    expect(everythingPrinted(providerAt('http://127.0.0.1:9'))).not.toContain(TOKEN);
    expect(everythingPrinted({ nested: [providerAt('http://127.0.0.1:9')] })).not.toContain(TOKEN);
  });
});
