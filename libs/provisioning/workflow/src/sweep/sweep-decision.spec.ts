import type { CloudServer, OwnerTag } from '@agent-controller/cloud-port';
import { FakeCloudProvider } from '../testing/fake-cloud-provider';
import { decide, type SweptRow } from './sweep-decision';

const LISTED = new Date('2026-01-02T00:00:00Z');
const ago = (seconds: number) => new Date(LISTED.getTime() - seconds * 1000);
const OURS = 'instance-1';

function row(changes: Partial<SweptRow> = {}): SweptRow {
  return {
    id: 'p1',
    phase: 'ready',
    attempt: 1,
    serverId: '1',
    serverCreatedAt: ago(3_600),
    createdAt: ago(3_600),
    observedAt: null,
    ...changes,
  };
}

function server(id: string, owner: Partial<OwnerTag> | null = {}, changes: Partial<CloudServer> = {}): CloudServer {
  const tag = { instanceId: OURS, provisioningId: 'p1', attempt: 1, ...owner };
  return { ...new FakeCloudProvider().add(id, tag, { status: 'running', ...changes }), owner: owner && tag };
}

function outcome(servers: CloudServer[], rows: SweptRow[], buried: string[] = [], abandoned: string[] = []): string[] {
  const ends = { buried: new Set(buried), abandoned: new Set(abandoned) };
  const actions = decide({ servers, rows, ...ends, instanceId: OURS, listedAt: LISTED });
  return actions.map((action) => `${action.kind} ${action.kind === 'missing' ? action.row.id : action.server.id}`);
}

describe('decide', () => {
  const other = server('2', {}, { createdAt: ago(10) });
  const stranger = { instanceId: 'another' };

  it.each<[string, CloudServer[], SweptRow[], string[], string[]]>([
    ['nothing at all', [], [], [], []],
    ["a row's server", [server('1')], [row()], [], ['known 1']],
    ["a row's server of a list that has it twice", [server('1'), server('1')], [row()], [], ['known 1']],
    ['a server that nothing knows', [server('1')], [], [], ['orphan 1']],
    ['a server of a deleted provisioning', [server('1')], [], ['p1'], ['late 1']],
    ['a second server', [server('1'), other], [row()], [], ['known 1', 'surplus 2']],
    [
      "a server of an earlier attempt beside the row's",
      [server('1'), server('2', { attempt: 2 })],
      [row({ attempt: 2, serverId: '2' })],
      [],
      ['surplus 1', 'known 2'],
    ],
    ['a second server that is going', [server('1'), server('2', {}, { status: 'deleting' })], [row()], [], ['known 1']],
    ['only a second server, so that it may be the last one', [other], [row()], [], ['surplus 2', 'missing p1']],
    ['a server of a failed order', [server('1')], [row({ phase: 'failed', serverId: null })], [], ['take 1']],
    [
      'two servers of a failed order: the oldest first',
      [other, server('1', {}, { createdAt: ago(20) })],
      [row({ phase: 'failed', serverId: null })],
      [],
      ['take 1'],
    ],
    [
      'a server of a failed order that is going',
      [server('1', {}, { status: 'deleting' })],
      [row({ phase: 'failed', serverId: null })],
      [],
      [],
    ],
    [
      'a server of an attempt that was given up',
      [server('1')],
      [row({ phase: 'failed', serverId: null, attempt: 2 })],
      [],
      ['surplus 1'],
    ],
    [
      'a server of a later attempt than the row has',
      [server('1', { attempt: 2 })],
      [row({ phase: 'failed', serverId: null })],
      [],
      ['ahead 1'],
    ],
    ["another installation's server", [server('1', stranger)], [], [], []],
    [
      "another installation's server with the id of a row's provisioning",
      [server('2', stranger)],
      [row({ phase: 'failed', serverId: null })],
      [],
      [],
    ],
    ["another installation's server with the id of a deleted one", [server('2', stranger)], [], ['p1'], []],
    ["a row's server that says another installation", [server('1', stranger)], [row()], [], ['foreign 1']],
    ['a server without complete labels', [server('1', null)], [], ['p1'], []],
    ["a row's server without complete labels", [server('1', null)], [row()], [], []],
  ])('%s', (_what, servers, rows, buried, expected) => {
    expect(outcome(servers, rows, buried)).toEqual(expected);
  });

  it('leaves what a caller gave up, until somebody has it again', () => {
    expect(outcome([server('1')], [], [], ['p1'])).toEqual(['abandoned 1']);
    expect(outcome([server('1', stranger)], [], [], ['p1'])).toEqual([]);
    expect(outcome([server('1')], [row()], [], ['p1'])).toEqual(['known 1']);
  });

  it.each(['creating-server', 'replacing', 'deleting'] as const)('leaves servers to the step in %s', (phase) => {
    for (const attempt of [1, 2, 3]) {
      const servers = [server('2', { attempt })];
      expect(outcome(servers, [row({ phase, attempt: 2, serverId: null })])).toEqual(['left-to-step 2']);
      expect(outcome(servers, [row({ phase, attempt: 2 })])).toEqual(['left-to-step 2']);
    }
  });

  it.each(['booting', 'installing', 'starting', 'ready', 'failed'] as const)('finds a second server in %s', (phase) => {
    expect(outcome([server('1'), other], [row({ phase })])).toEqual(['known 1', 'surplus 2']);
  });

  describe('a row whose server is not in the list', () => {
    it.each([
      ['creating-server', false],
      ['booting', false],
      ['installing', true],
      ['starting', true],
      ['ready', true],
      ['failed', true],
      ['replacing', false],
      ['deleting', false],
    ] as const)('in %s: asked for %p', (phase, isAsked) => {
      expect(outcome([], [row({ phase })])).toEqual(isAsked ? ['missing p1'] : []);
    });

    it('is not asked for while it is young, or has none', () => {
      expect(outcome([], [row({ serverCreatedAt: ago(59) })])).toEqual([]);
      expect(outcome([], [row({ serverCreatedAt: ago(60) })])).toEqual(['missing p1']);
      expect(outcome([], [row({ phase: 'failed', serverId: null })])).toEqual([]);
    });

    it('comes the sooner the longer nothing was heard of it', () => {
      const rows = [30, 10, null, 20].map((seconds, index) =>
        row({ id: `p${index}`, serverId: `s${index}`, observedAt: seconds === null ? null : ago(seconds) }),
      );
      expect(outcome([], rows)).toEqual(['missing p2', 'missing p0', 'missing p3', 'missing p1']);
    });
  });
});
