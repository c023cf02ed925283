import { json, rejection } from '@agent-controller/cloud-port/testing';
import { error, page } from './hetzner-answers.fixture';
import { HetznerScript, get, post, remove } from './hetzner-script.fixture';

const hetzner = new HetznerScript();

const name = 'agent-controller-firewall-0123456789abcdef01234567-instance-1';
const spec = {
  name,
  instanceId: 'instance-1',
  inbound: [
    { port: 3000, sources: ['0.0.0.0/0', '::/0'] },
    { port: 22, sources: ['192.0.2.7/32'] },
  ],
};
const labels = { 'managed-by': 'agent-controller', 'agent-controller/instance': 'instance-1' };
const inRule = (port: string, ...source_ips: string[]) => ({ direction: 'in', protocol: 'tcp', port, source_ips });
const rules = [inRule('3000', '0.0.0.0/0', '::/0'), inRule('22', '192.0.2.7/32')];
const listed = (more: object = {}) => ({
  id: 7,
  name,
  labels,
  created: '2026-08-01T10:00:00Z',
  rules: rules.map((rule) => ({ ...rule, destination_ips: [], description: null })),
  applied_to: [],
  ...more,
});
const find = (...found: object[]) => get('/firewalls', page('firewalls', found), { name, page: '1', per_page: '50' });
const made = json({ firewall: listed(), actions: [] }, 201);
const taken = error(409, 'uniqueness_error', 'firewall name is already used');

describe('the firewall before servers', () => {
  it('is found by its name, whatever the order of its rules', async () => {
    const provider = await hetzner.start(find(listed({ rules: [...listed().rules].reverse() })));
    expect(await provider.ensureFirewall(spec)).toBe('7');
  });

  it('is made with inbound rules only: then everything gets out', async () => {
    const provider = await hetzner.start(find(), post('/firewalls', made, { name, labels, rules }));
    expect(await provider.ensureFirewall(spec)).toBe('7');
  });

  it('is looked up when another controller was faster', async () => {
    const provider = await hetzner.start(find(), post('/firewalls', taken), find(listed()));
    expect(await provider.ensureFirewall(spec)).toBe('7');
  });

  it('is a conflict when its name is taken and yet not there', async () => {
    const provider = await hetzner.start(find(), post('/firewalls', taken), find());
    expect((await rejection(provider.ensureFirewall(spec))).kind).toBe('conflict');
  });

  it.each([
    ['a rule too many', [...rules, inRule('80', '0.0.0.0/0')]],
    ['a rule too few', rules.slice(0, 1)],
    ['another source', [rules[0], inRule('22', '0.0.0.0/0')]],
    ['a range of ports', [rules[0], inRule('22-80', '192.0.2.7/32')]],
    ['a rule for what goes out', [...rules, { direction: 'out', protocol: 'tcp', port: '443', source_ips: [] }]],
    ['a rule for ICMP', [...rules, { direction: 'in', protocol: 'icmp', port: null, source_ips: ['0.0.0.0/0'] }]],
  ])('is put right when somebody gave it %s', async (_, changed) => {
    const provider = await hetzner.start(
      find(listed({ rules: changed })),
      post('/firewalls/7/actions/set_rules', json({ actions: [] }, 201), { rules }),
    );
    expect(await provider.ensureFirewall(spec)).toBe('7');
  });

  it("is refused when it is labelled as another installation's, and not touched", async () => {
    const other = { ...labels, 'agent-controller/instance': 'instance-2' };
    const provider = await hetzner.start(find(listed({ labels: other, rules: [] })));
    expect((await rejection(provider.ensureFirewall(spec))).kind).toBe('invalid');
  });

  it.each([
    ['quota', error(403, 'resource_limit_exceeded', 'firewall limit exceeded')],
    ['invalid', error(422, 'invalid_input', 'invalid input in field rules')],
    ['outcome-unknown', error(502, 'bad_gateway', 'no')],
  ] as const)('is not made: %s', async (kind, refusal) => {
    const provider = await hetzner.start(find(), post('/firewalls', refusal));
    expect((await rejection(provider.ensureFirewall(spec))).kind).toBe(kind);
  });

  it('is told with what it lets in, and whether it is in use; others are not told', async () => {
    const applied = { applied_to: [{ type: 'server', server: { id: 1 } }] };
    const provider = await hetzner.start(
      get('/firewalls', page('firewalls', [listed(applied), { ...listed(), id: 8, name: 'by-hand' }], 2)),
      get('/firewalls', page('firewalls', [listed({ id: 9, labels: {}, rules: [inRule('1-2', '::/0')] })])),
    );
    const { inbound } = spec;
    expect(await provider.listFirewalls()).toEqual([
      { id: '7', key: '7', name, instanceId: 'instance-1', inbound, isApplied: true },
      { id: '9', key: '9', name, instanceId: null, inbound: null, isApplied: false },
    ]);
  });

  it('is removed, also twice, but not while a server stands behind it', async () => {
    const provider = await hetzner.start(
      remove('/firewalls/7', error(422, 'resource_in_use', 'firewall is still in use')),
      remove('/firewalls/7', { status: 204 }),
      remove('/firewalls/7', error(404, 'not_found', 'firewall not found')),
    );
    expect((await rejection(provider.removeFirewall('7'))).kind).toBe('conflict');
    await provider.removeFirewall('7');
    await provider.removeFirewall('7');
  });
});
