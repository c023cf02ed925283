import { firewallName, isFirewallOf, isSameInbound } from './firewall';

const INSTANCE = '7c2a3c0e-2f5b-4b0a-9a55-000000000001';
const api = { port: 3000, sources: ['192.0.2.0/24', '2001:db8::/32'] };
const webSocket = { port: 8080, sources: ['0.0.0.0/0', '::/0'] };

describe('firewallName', () => {
  const name = firewallName(INSTANCE, [api, webSocket]);

  it('is the same for the same rules, in whatever order and spelling', () => {
    const spelled = { port: 3000, sources: ['2001:0DB8:0::/32', '192.0.2.0/24', '192.0.2.0/24'] };
    expect(firewallName(INSTANCE, [webSocket, spelled])).toBe(name);
  });

  it.each([
    ['another port', [{ ...api, port: 3001 }, webSocket]],
    ['another source', [{ ...api, sources: ['192.0.2.0/25', '2001:db8::/32'] }, webSocket]],
    ['a source less', [{ ...api, sources: ['192.0.2.0/24'] }, webSocket]],
    ['a rule more', [api, webSocket, { port: 22, sources: api.sources }]],
    [
      'sources of each other',
      [
        { ...api, sources: webSocket.sources },
        { ...webSocket, sources: api.sources },
      ],
    ],
  ])('is another for %s', (_, inbound) => {
    expect(firewallName(INSTANCE, inbound)).not.toBe(name);
  });

  it("is what both providers take, and another installation's differs", () => {
    expect(name).toMatch(/^[a-z0-9][a-z0-9-]{1,127}$/);
    expect(firewallName('another', [api, webSocket])).not.toBe(name);
  });

  it('says whose it is', () => {
    expect(isFirewallOf({ name, instanceId: null }, INSTANCE)).toBe(true);
    expect(isFirewallOf({ name, instanceId: INSTANCE }, INSTANCE)).toBe(true);
    expect(isFirewallOf({ name, instanceId: 'another' }, INSTANCE)).toBe(false);
    expect(isFirewallOf({ name, instanceId: null }, 'another')).toBe(false);
    expect(isFirewallOf({ name: `my-${name}`, instanceId: INSTANCE }, INSTANCE)).toBe(false);
    expect(isFirewallOf({ name: `agent-controller-firewall-${INSTANCE}`, instanceId: INSTANCE }, INSTANCE)).toBe(false);
  });
});

describe('isSameInbound', () => {
  it('takes an address alone for its network, and nothing that is not known for anything', () => {
    const alone = [{ port: 22, sources: ['192.0.2.7', '2001:db8::1'] }];
    expect(isSameInbound(alone, [{ port: 22, sources: ['2001:db8::1/128', '192.0.2.7/32'] }])).toBe(true);
    expect(isSameInbound(alone, [{ port: 22, sources: ['192.0.2.7/32'] }])).toBe(false);
    expect(isSameInbound(null, null)).toBe(false);
    expect(isSameInbound([], null)).toBe(false);
  });
});
