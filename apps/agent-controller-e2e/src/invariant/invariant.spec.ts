import { violations, type InvariantState, type SeenRow, type SeenServer } from './invariant';
import { serverOwner } from './server-owner';

const INSTANCE = 'instance-1';
const GONE_AT = '2026-01-01T00:00:10.000Z';

function server(id: string, provisioning: string, changes: Partial<SeenServer> = {}): SeenServer {
  const labels = {
    'agent-controller/instance': INSTANCE,
    'agent-controller/provisioning': provisioning,
    'agent-controller/attempt': '1',
  };
  return { id, provider: 'hetzner', labels, tags: [], life: 'running', ...changes };
}

function row(id: string, changes: Partial<SeenRow> = {}): SeenRow {
  return {
    id,
    provider: 'hetzner',
    phase: 'ready',
    intent: 'present',
    serverId: `server-${id}`,
    serverStatus: 'running',
    ...changes,
  };
}

const state = (changes: Partial<InvariantState>): InvariantState => ({
  instanceId: INSTANCE,
  servers: [],
  history: [],
  rows: [],
  tombstones: [],
  reported: [],
  deletions: [],
  ...changes,
});

const past = (id: string, provisioning: string, deletedAt: string | null) => ({
  ...server(id, provisioning),
  deletedAt,
  hiddenUntil: null,
});

describe('the invariant', () => {
  it.each<[string, Partial<InvariantState>]>([
    ['nothing at all', {}],
    ['a row with its server', { rows: [row('a')], servers: [server('server-a', 'a')] }],
    ['a failed row without one', { rows: [row('a', { phase: 'failed', serverId: null })] }],
    ['a failed row with one', { rows: [row('a', { phase: 'failed' })], servers: [server('server-a', 'a')] }],
    ['a row that waits for its order', { rows: [row('a', { phase: 'creating-server', serverId: null })] }],
    ['a server that is being deleted', { servers: [server('x', 'a', { life: 'deleting' })] }],
    ["another installation's", { servers: [server('x', 'a', { labels: { 'agent-controller/instance': 'other' } })] }],
    ["a person's", { servers: [server('x', 'a', { labels: {} })] }],
    ['a reported orphan', { servers: [server('x', 'a')], reported: ['x'] }],
    [
      'a failed row that says that its servers are out of sight',
      {
        rows: [row('a', { phase: 'failed', serverId: null, errorCode: 'wrong-project' })],
        servers: [server('x', 'a', { isElsewhere: true }), server('y', 'a', { isElsewhere: true })],
      },
    ],
    ['a lost server', { rows: [row('a', { serverStatus: 'lost' })] }],
    [
      'a server that could not be seen when its row went',
      {
        history: [{ ...past('x', 'a', '2026-01-01T00:00:19.000Z'), hiddenUntil: '2026-01-01T00:00:15.000Z' }],
        deletions: [{ provisioningId: 'a', at: GONE_AT }],
        tombstones: ['a'],
      },
    ],
    [
      'a server that went before its row',
      {
        history: [past('x', 'a', '2026-01-01T00:00:09.000Z')],
        deletions: [{ provisioningId: 'a', at: GONE_AT }],
        tombstones: ['a'],
      },
    ],
  ])('holds for %s', (_name, changes) => expect(violations(state(changes))).toEqual([]));

  it.each<[string, Partial<InvariantState>, RegExp]>([
    ['a server of no row', { servers: [server('x', 'a')] }, /server x .* belongs to no row and no tombstone/],
    [
      'the same by tags',
      { servers: [server('x', 'a', { labels: {}, tags: [`ac-instance:${INSTANCE}`, 'ac-provisioning:a'] })] },
      /belongs to no row/,
    ],
    [
      'a server of a tombstone',
      { servers: [server('x', 'a')], tombstones: ['a'] },
      /still exists, and its row is gone/,
    ],
    [
      'two servers of a row',
      { rows: [row('a')], servers: [server('server-a', 'a'), server('x', 'a')] },
      /has 2 servers: server-a, x/,
    ],
    [
      'two servers of a failed row',
      { rows: [row('a', { phase: 'failed', serverId: null })], servers: [server('x', 'a'), server('y', 'a')] },
      /has 2 servers/,
    ],
    [
      'two servers out of sight of a row that does not say so',
      {
        rows: [row('a', { phase: 'failed', serverId: null, errorCode: 'time-limit' })],
        servers: [server('x', 'a', { isElsewhere: true }), server('y', 'a', { isElsewhere: true })],
      },
      /has 2 servers/,
    ],
    [
      'two servers in sight of a row that says that they are not',
      {
        rows: [row('a', { phase: 'failed', serverId: null, errorCode: 'wrong-project' })],
        servers: [server('x', 'a'), server('y', 'a')],
      },
      /has 2 servers/,
    ],
    ['a ready row without a server', { rows: [row('a')] }, /does not exist or is another's/],
    ['a booting row without an id', { rows: [row('a', { phase: 'booting', serverId: null })] }, /has no server id/],
    [
      "a row with another's server",
      { rows: [row('a', { serverId: 'x' }), row('b')], servers: [server('x', 'b'), server('server-b', 'b')] },
      /row a .* has server x, which does not exist or is another's/,
    ],
    [
      'two rows with one server',
      { rows: [row('a', { serverId: 'x' }), row('b', { serverId: 'x' })], servers: [server('x', 'a')] },
      /has server x, and so has row a/,
    ],
    [
      'a row that went before its server',
      {
        history: [past('x', 'a', '2026-01-01T00:00:11.000Z')],
        deletions: [{ provisioningId: 'a', at: GONE_AT }],
        tombstones: ['a'],
      },
      /its server x went at 2026-01-01T00:00:11/,
    ],
    [
      'a row that went while its server stays',
      { history: [past('x', 'a', null)], deletions: [{ provisioningId: 'a', at: GONE_AT }] },
      /its server x still exists/,
    ],
  ])('is broken by %s', (_name, changes, expected) => {
    const found = violations(state(changes));
    expect(found.join('\n')).toMatch(expected);
  });

  it('lets the sweep finish, and a person remove a server', () => {
    expect(violations(state({ servers: [server('x', 'a')], tombstones: ['a'] }), { isWorking: true })).toEqual([]);
    expect(violations(state({ servers: [server('x', 'a')] }), { isWorking: true })).toHaveLength(1);
    expect(violations(state({ rows: [row('a')] }), { removedByHand: ['server-a'] })).toEqual([]);
    expect(violations(state({ rows: [row('a')] }), { removedByHand: ['other'] })).toHaveLength(1);
  });
});

describe('serverOwner', () => {
  it.each([
    [{ labels: {}, tags: ['a', 'b'] }, null],
    [
      { labels: {}, tags: ['agent-controller', 'ac-instance:i', 'ac-provisioning:p', 'ac-attempt:2'] },
      { instanceId: 'i', provisioningId: 'p', attempt: 2 },
    ],
    [server('x', 'p'), { instanceId: INSTANCE, provisioningId: 'p', attempt: 1 }],
  ])('%j', (given, expected) => expect(serverOwner(given)).toEqual(expected));
});
