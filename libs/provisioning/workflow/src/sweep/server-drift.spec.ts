import { FakeCloudProvider } from '../testing/fake-cloud-provider';
import { ownerOf, referenceWith } from '../testing/step-context.fixture';
import { driftOf } from './server-drift';

const server = new FakeCloudProvider().add('1', ownerOf(1), {
  status: 'running',
  providerStatus: 'running',
  publicIpv4: '203.0.113.7',
});
const row = referenceWith({
  serverName: 'server-1',
  serverStatus: 'running',
  publicIp: '203.0.113.7',
  providerMetadata: { publicIpv6: null, publicIpv4: '203.0.113.7', providerStatus: 'running' },
});

describe('driftOf', () => {
  it('finds nothing where all is as it was, whatever the order of facts', () => {
    expect(driftOf(row, server)).toBeNull();
  });

  it.each([
    ['name', { name: 'renamed' }, 'serverName', 'renamed', "name is 'renamed' at the provider now; it was 'server-1'"],
    ['type', { serverType: 'cx33' }, 'serverType', 'cx33', "type is 'cx33' at the provider now; it was 'cx23'"],
    ['power state', { status: 'stopped' }, 'serverStatus', 'stopped', "status is 'stopped' at the provider now"],
    [
      'address',
      { publicIpv4: '203.0.113.8' },
      'publicIp',
      '203.0.113.8',
      "address is '203.0.113.8' at the provider now",
    ],
    ['lost address', { publicIpv4: null }, 'publicIp', null, "address is 'none' at the provider now"],
  ] as const)('tells of another %s', (_what, change, column, value, message) => {
    const drift = driftOf(row, { ...server, ...change });
    expect(drift?.patch).toMatchObject({ [column]: value });
    expect(drift?.events.map((event) => event.message)).toEqual([expect.stringContaining(message)]);
  });

  it('saves, and does not tell, what was waited for and what only the provider has a word for', () => {
    for (const known of [{ serverStatus: 'creating' as const }, { serverName: null }, { providerMetadata: {} }]) {
      expect(driftOf(referenceWith({ ...row, ...known }), server)).toMatchObject({ events: [] });
    }
  });

  it('tells once that a lost server is there again', () => {
    const drift = driftOf(referenceWith({ ...row, serverStatus: 'lost' }), server);
    expect(drift?.events.map(({ message }) => message)).toEqual(['The provider finds the server again']);
  });
});
