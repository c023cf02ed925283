import { json, rejection, type ScriptedStep } from '@agent-controller/cloud-port/testing';
import { error, page } from './digital-ocean-answers.fixture';
import { DigitalOceanScript, get, post, remove } from './digital-ocean-script.fixture';

const digitalOcean = new DigitalOceanScript();

const name = 'agent-controller-firewall-0123456789abcdef01234567-instance-1';
const id = 'bb4b2611-3d72-467b-8602-280330ecd65c';
const spec = {
  name,
  instanceId: 'instance-1',
  inbound: [
    { port: 3000, sources: ['0.0.0.0/0', '::/0'] },
    { port: 22, sources: ['192.0.2.7/32'] },
  ],
};
const inRule = (ports: string, ...addresses: string[]) => ({ protocol: 'tcp', ports, sources: { addresses } });
const inbound_rules = [inRule('3000', '0.0.0.0/0', '::/0'), inRule('22', '192.0.2.7/32')];
const destinations = { addresses: ['0.0.0.0/0', '::/0'] };
const outbound_rules = ['tcp', 'udp', 'icmp'].map((protocol) => ({ protocol, ports: '0', destinations }));
const body = { name, inbound_rules, outbound_rules, tags: [name] };
const listed = (more: object = {}) => ({ ...body, id, status: 'succeeded', droplet_ids: [], ...more });
const list = (...found: object[]) => get('/firewalls', page('firewalls', found), { page: '1', per_page: '200' });
const put = (path: string, answer: ScriptedStep['answer'], sent?: unknown): ScriptedStep => ({
  method: 'PUT',
  path: `/v2${path}`,
  body: sent,
  answer,
});
const tag = post('/tags', json({ tag: { name } }, 201), { name });
const made = json({ firewall: listed({ status: 'waiting' }) }, 202);
const taken = error(409, 'conflict', 'duplicate name');

describe('the firewall before droplets', () => {
  it('is found by its name in the list', async () => {
    // A single address may be shown without its prefix.
    const shown = [inRule('22', '192.0.2.7'), inRule('3000', '::/0', '0.0.0.0/0')];
    const provider = await digitalOcean.start(list(listed({ name: 'other' }), listed({ inbound_rules: shown })));
    expect(await provider.ensureFirewall(spec)).toBe(name);
  });

  it('is made for a tag that exists, and lets everything out', async () => {
    const provider = await digitalOcean.start(list(), tag, post('/firewalls', made, body));
    expect(await provider.ensureFirewall(spec)).toBe(name);
  });

  it.each([
    [422, 'unprocessable_entity', 'Tag already exists'],
    [409, 'conflict', 'conflict'],
  ])('is made when the tag is said to be there: %i', async (status, code, message) => {
    const there = post('/tags', error(status, code, message));
    const provider = await digitalOcean.start(list(), there, post('/firewalls', made));
    expect(await provider.ensureFirewall(spec)).toBe(name);
  });

  it.each([taken, error(422, 'unprocessable_entity', 'duplicate name')])(
    'is looked up when another controller was faster',
    async (refusal) => {
      const provider = await digitalOcean.start(list(), tag, post('/firewalls', refusal), list(listed()));
      expect(await provider.ensureFirewall(spec)).toBe(name);
    },
  );

  it('is a conflict when its name is taken and yet not there', async () => {
    const provider = await digitalOcean.start(list(), tag, post('/firewalls', taken), list());
    expect((await rejection(provider.ensureFirewall(spec))).kind).toBe('conflict');
  });

  it.each<[string, object]>([
    ['another source', { inbound_rules: [inbound_rules[0], inRule('22', '0.0.0.0/0')] }],
    ['all ports', { inbound_rules: [...inbound_rules, inRule('0', '192.0.2.7/32')] }],
    ['a tag as a source', { inbound_rules: [...inbound_rules, { ...inRule('80'), sources: { tags: ['web'] } }] }],
    ['no rule for what goes out', { outbound_rules: null }],
    ['fewer destinations', { outbound_rules: [inRule('443')].map((rule) => ({ ...rule, destinations })) }],
  ])('is put right when somebody gave it %s', async (_, changed) => {
    const bound = { droplet_ids: [42], tags: ['web', name] };
    const provider = await digitalOcean.start(
      list(listed({ ...changed, ...bound })),
      put(`/firewalls/${id}`, json({ firewall: listed() }), { ...body, ...bound }),
    );
    expect(await provider.ensureFirewall(spec)).toBe(name);
  });

  it('is bound to its tag again when somebody took that away', async () => {
    const provider = await digitalOcean.start(
      list(listed({ tags: null })),
      tag,
      put(`/firewalls/${id}`, json({ firewall: listed() }), { ...body, droplet_ids: [] }),
    );
    expect(await provider.ensureFirewall(spec)).toBe(name);
  });

  it.each([
    ['quota', error(422, 'unprocessable_entity', 'creating this firewall will exceed your firewall limit')],
    ['auth', error(403, 'forbidden', 'You are missing the required permission firewall:create')],
    ['invalid', error(422, 'unprocessable_entity', 'invalid address')],
    ['outcome-unknown', error(500, 'server_error', 'no')],
  ] as const)('is not made: %s', async (kind, refusal) => {
    const provider = await digitalOcean.start(list(), tag, post('/firewalls', refusal));
    expect((await rejection(provider.ensureFirewall(spec))).kind).toBe(kind);
  });

  it('is told with what it lets in, and what it is bound to besides; others are not told', async () => {
    const provider = await digitalOcean.start(
      list(listed(), listed({ name: 'by-hand' }), listed({ droplet_ids: [1], outbound_rules: [] })),
    );
    const { inbound } = spec;
    expect(await provider.listFirewalls()).toEqual([
      { id, key: name, name, instanceId: null, inbound, isApplied: false },
      { id, key: name, name, instanceId: null, inbound: null, isApplied: true },
    ]);
  });

  it('is removed, also twice', async () => {
    const provider = await digitalOcean.start(
      remove(`/firewalls/${id}`, { status: 204 }),
      remove(`/firewalls/${id}`, error(404, 'not_found', 'The resource you requested could not be found.')),
    );
    await provider.removeFirewall(id);
    await provider.removeFirewall(id);
  });
});
