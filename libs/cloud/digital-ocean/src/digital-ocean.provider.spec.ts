import type { CloudError, CloudServer, ServerSpec } from '@agent-controller/cloud-port';
import { json, rejection, type ScriptedStep } from '@agent-controller/cloud-port/testing';
import { droplet, error, networks, owner, page, tags } from './digital-ocean-answers.fixture';
import { lookTag } from './digital-ocean-owner.tags';
import { DigitalOceanScript, get, post, remove } from './digital-ocean-script.fixture';

const spec: ServerSpec = {
  owner,
  name: 'web-1',
  serverType: 's-1vcpu-1gb',
  location: 'fra1',
  image: 'debian-13-x64',
  userData: '#cloud-config\n{}\n',
  sshKeyIds: ['99'],
  firewall: 'agent-controller-firewall-x',
};
const digitalOcean = new DigitalOceanScript();
const ids = (servers: CloudServer[]) => servers.map(({ id }) => id);
const accepted = (more: Record<string, unknown> = {}) =>
  json({ droplet: droplet(42, more), links: { actions: [{ id: 1, rel: 'create', href: 'x' }] } }, 202);
const notFound = error(404, 'not_found', 'The resource you requested could not be found.');

describe('droplets', () => {
  it('creates with tags, key and user data, and reads an answer without addresses', async () => {
    const body = {
      name: 'web-1',
      size: 's-1vcpu-1gb',
      region: 'fra1',
      image: 'debian-13-x64',
      ssh_keys: [99],
      user_data: spec.userData,
      tags: [...tags, spec.firewall, expect.stringMatching(/^ac-ordered:\d+$/)],
      ipv6: true,
      with_droplet_agent: false,
    };
    const answer = accepted({ status: 'new', networks: { v4: [], v6: [] }, tags: [...tags, spec.firewall] });
    const provider = await digitalOcean.start(post('/droplets', answer));
    const created = await provider.create(spec);
    expect(digitalOcean.http.requests[0]?.body).toEqual(body);
    expect(created).toEqual({
      id: '42',
      name: 'web-42',
      status: 'creating',
      providerStatus: 'new',
      serverType: 's-1vcpu-1gb',
      location: 'fra1',
      image: 'debian-13-x64',
      publicIpv4: null,
      publicIpv6: null,
      privateIpv4: null,
      createdAt: new Date('2026-08-01T10:00:00Z'),
      firewalls: [spec.firewall],
      owner,
    });
  });

  it('orders an image without a slug by its number, and all keys', async () => {
    const provider = await digitalOcean.start(post('/droplets', accepted()));
    await provider.create({ ...spec, image: '195990001', sshKeyIds: ['99', '100'] });
    expect(digitalOcean.http.requests[0]?.body).toMatchObject({ image: 195_990_001, ssh_keys: [99, 100] });
  });

  it('picks addresses by type: the private one may come first', async () => {
    const provider = await digitalOcean.start(get('/droplets/42', json({ droplet: droplet(42) })));
    expect(await provider.get('42')).toMatchObject({
      status: 'running',
      publicIpv4: '203.0.113.7',
      privateIpv4: '10.110.0.2',
      publicIpv6: '2001:db8::7',
    });
  });

  it.each([
    ['only a private address', { networks: { v4: networks.v4.slice(0, 1), v6: [] } }, { privateIpv4: '10.110.0.2' }],
    ['no networks at all', { networks: null }, { privateIpv4: null }],
    ['a snapshot as image', { networks: {}, image: { id: 1, slug: null } }, { image: '1' }],
    ['no image', { networks: {}, image: null }, { image: null }],
    ['a state of tomorrow', { networks: {}, status: 'frozen' }, { status: 'unknown', providerStatus: 'frozen' }],
    ['foreign tags', { networks: {}, tags: ['agent-controller', 'ac-attempt:1'] }, { owner: null }],
  ])('reads %s', async (_, more, expected) => {
    const provider = await digitalOcean.start(get('/droplets/42', json({ droplet: droplet(42, more) })));
    expect(await provider.get('42')).toMatchObject({ publicIpv4: null, publicIpv6: null, ...expected });
  });

  it('says not-found for a droplet that answers 404 after its 202', async () => {
    const provider = await digitalOcean.start(
      post('/droplets', accepted({ status: 'new' })),
      get('/droplets/42', notFound),
      get('/droplets/42', notFound),
    );
    const { id } = await provider.create(spec);
    expect(await rejection(provider.get(id))).toMatchObject({ kind: 'not-found', requestId: 'req-1' });
    expect(await provider.look([{ serverId: id, createdAt: new Date() }])).toEqual({ servers: [], requests: 1 });
  });

  it('finds by owner, of all pages, oldest first, and nothing of others', async () => {
    const query = { tag_name: `ac-provisioning:${owner.provisioningId}`, page: '1', per_page: '200' };
    const other = tags.map((tag) => (tag.startsWith('ac-instance') ? 'ac-instance:other' : tag));
    const second = tags.map((tag) => (tag === 'ac-attempt:1' ? 'ac-attempt:2' : tag));
    const entries = [droplet(4, { tags: second, created_at: '2026-08-01T11:00:00Z' }), droplet(3, { tags: other })];
    const pages = () => [
      get('/droplets', page('droplets', entries, 'https://x/v2/droplets?page=2'), query),
      get('/droplets', page('droplets', [droplet(2), droplet(1)]), { ...query, page: '2' }),
    ];
    const provider = await digitalOcean.start(...pages(), ...pages());
    expect(ids(await provider.findByOwner(owner))).toEqual(['1', '2']);
    expect(ids(await provider.findByOwner({ ...owner, attempt: undefined }))).toEqual(['1', '2', '4']);
  });

  it('looks at many in one list, and stops when all were seen', async () => {
    const waiting = [1, 2, 3].map((id) => ({ serverId: String(id), createdAt: new Date() }));
    const entries = [4, 3, 2, 1].map((id) => droplet(id));
    const query = { tag_name: 'agent-controller', page: '1', per_page: '200' };
    const more = 'https://x/v2/droplets?page=2';
    const provider = await digitalOcean.start(get('/droplets', page('droplets', entries, more), query));
    expect(ids((await provider.look(waiting)).servers)).toEqual(['3', '2', '1']);
  });

  it('lists only what was ordered in the same minutes as those that are waited for', async () => {
    const [early, late] = [new Date('2026-08-01T10:00:59Z'), new Date('2026-08-01T10:02:00Z')].map(lookTag);
    const waiting = [1, 2, 3, 4, 5, 6].map((id) => ({
      ...{ serverId: String(id), createdAt: new Date(), lookGroup: id < 4 ? early : late },
    }));
    const tagged = (id: number) => droplet(id, { tags: [...tags, id < 4 ? early : late] });
    const query = (tag_name = '') => ({ tag_name, page: '1', per_page: '200' });
    const provider = await digitalOcean.start(
      get('/droplets', page('droplets', [3, 2, 1].map(tagged)), query(early)),
      get('/droplets', page('droplets', [6, 7, 5, 4].map(tagged)), query(late)),
    );
    const { servers, requests } = await provider.look(waiting);
    expect(ids(servers)).toEqual(['3', '2', '1', '6', '5', '4']);
    expect(servers.map(({ lookGroup }) => lookGroup)).toEqual([early, early, early, late, late, late]);
    expect(requests).toBe(2);
  });

  it('gives what is ordered within two minutes the same tag', () => {
    expect(lookTag(new Date('2026-08-01T10:00:00Z'))).toBe(lookTag(new Date('2026-08-01T10:01:59Z')));
    expect(lookTag(new Date('2026-08-01T10:02:00Z'))).not.toBe(lookTag(new Date('2026-08-01T10:01:59Z')));
  });

  it('lists all droplets of ours, page by page', async () => {
    const provider = await digitalOcean.start(
      get('/droplets', page('droplets', [droplet(1)], 'https://x/v2/droplets?page=2')),
      get('/droplets', page('droplets', [droplet(2, { tags: null })])),
    );
    const seen: CloudServer[] = [];
    for await (const one of provider.listOwned()) seen.push(one);
    expect(seen.map((one) => [one.id, one.owner])).toEqual([
      ['1', owner],
      ['2', null],
    ]);
  });

  it('destroys one droplet by id, until it is "not found"', async () => {
    const pending = error(422, 'unprocessable_entity', 'Droplet already has a pending event.');
    const provider = await digitalOcean.start(
      remove('/droplets/1', pending, {}),
      remove('/droplets/1', { status: 204 }, {}),
      remove('/droplets/1', notFound, {}),
    );
    expect((await rejection(provider.destroy('1'))).kind).toBe('conflict');
    expect(await provider.destroy('1')).toBe('deleting');
    expect(await provider.destroy('1')).toBe('gone');
  });

  it.each(['', 'x', '1/../2', '0', '1?tag_name=x', '99999999999999999'])(
    'sends nothing for the id "%s"',
    async (id) => {
      const provider = await digitalOcean.start();
      for (const call of [() => provider.get(id), () => provider.destroy(id), () => provider.hasSentinel(id)]) {
        expect((await rejection(call())).kind).toBe('invalid');
      }
    },
  );
});

describe('answers that are no answers', () => {
  const html = { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>Bad Gateway</html>' };

  it.each<[string, ScriptedStep['answer'], CloudError['kind'], CloudError['kind']]>([
    ['an HTML 502', html, 'unavailable', 'outcome-unknown'],
    ['an empty 500', { status: 500 }, 'unavailable', 'outcome-unknown'],
    ['a JSON 503 without error', json(null, 503), 'unavailable', 'outcome-unknown'],
    ['HTML with status 200', { ...html, status: 200 }, 'unavailable', 'outcome-unknown'],
    ['an empty 202', { status: 202 }, 'unavailable', 'outcome-unknown'],
    ['a droplet without id', json({ droplet: { name: 'x' } }, 202), 'unavailable', 'outcome-unknown'],
    ['a dropped connection', 'drop', 'unavailable', 'outcome-unknown'],
    ['half an answer', 'cut', 'unavailable', 'outcome-unknown'],
    ['silence', 'hang', 'unavailable', 'outcome-unknown'],
    ['an answer without end', 'drip', 'unavailable', 'outcome-unknown'],
  ])('%s', async (_, answer, onRead, onCreate) => {
    const provider = await digitalOcean.start(get('/droplets/1', answer), post('/droplets', answer));
    expect((await rejection(provider.get('1'))).kind).toBe(onRead);
    expect((await rejection(provider.create(spec))).kind).toBe(onCreate);
  });

  it('nobody listens: nothing was ordered', async () => {
    const provider = await digitalOcean.start();
    await digitalOcean.http.close();
    expect((await rejection(provider.create(spec))).kind).toBe('unavailable');
  });

  it('a redirect is not followed with the token, nor is the order repeated', async () => {
    const answer = { status: 307, headers: { location: '/v2/droplets' } };
    const provider = await digitalOcean.start(get('/droplets/1', answer), post('/droplets', answer));
    expect((await rejection(provider.get('1'))).kind).toBe('unavailable');
    expect((await rejection(provider.create(spec))).kind).toBe('unavailable');
  });

  it('keeps id, request id and message of a real error', async () => {
    const message = 'creating this/these droplet(s) will exceed your droplet limit';
    const provider = await digitalOcean.start(post('/droplets', error(422, 'unprocessable_entity', message)));
    const thrown = await rejection(provider.create(spec));
    expect(thrown).toMatchObject({ kind: 'quota', providerCode: 'unprocessable_entity', requestId: 'req-1' });
    expect(thrown.message).toContain(message);
  });

  it.each<[string, Record<string, string>, number, number]>([
    ['retry-after', { 'retry-after': '7', 'ratelimit-reset': '1' }, 7_000, 7_000],
    ['ratelimit-reset', { 'ratelimit-reset': String(Math.floor(Date.now() / 1000) + 120) }, 100_000, 120_000],
    ['ratelimit-reset in the past', { 'ratelimit-reset': '1' }, 1_000, 1_000],
  ])('says how long to wait, by %s', async (_, headers, min, max) => {
    const body = { id: 'too_many_requests', message: 'API Rate limit exceeded.' };
    const provider = await digitalOcean.start(get('/droplets/1', json(body, 429, headers)));
    const thrown = await rejection(provider.get('1'));
    expect(thrown.kind).toBe('rate-limited');
    expect(thrown.retryAfterMs).toBeGreaterThanOrEqual(min);
    expect(thrown.retryAfterMs).toBeLessThanOrEqual(max);
  });
});
