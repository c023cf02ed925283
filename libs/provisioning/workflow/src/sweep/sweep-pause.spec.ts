import { FakeCloudProvider } from '../testing/fake-cloud-provider';
import { NOW, ownerOf, referenceWith, secondsAgo } from '../testing/step-context.fixture';
import { fingerprintChanges } from './database-fingerprint';
import { pauseReason, type PauseFacts } from './sweep-pause.service';
import type { OwnedServer, SweepAction } from './sweep-decision';

const made = (at: Date) => new FakeCloudProvider().add('9', ownerOf(1), { createdAt: at }) as OwnedServer;
const orphan = (at: Date): SweepAction => ({ kind: 'orphan', server: made(at) });

function facts({ state, ...changes }: Partial<Omit<PauseFacts, 'state'>> & { state?: Partial<PauseFacts['state']> }) {
  return {
    state: { coveredUntil: secondsAgo(300), resumedAt: null, databaseFingerprint: 'system=1 timeline=1', ...state },
    fingerprint: 'system=1 timeline=1',
    actions: [],
    knownOrphans: new Set<string>(),
    ...changes,
  };
}

describe('pauseReason', () => {
  it.each<[string, Parameters<typeof facts>[0], string | undefined]>([
    ['nothing', {}, undefined],
    ['another timeline', { fingerprint: 'system=1 timeline=2' }, 'database-changed'],
    ['another server', { fingerprint: 'system=2 timeline=1' }, 'database-changed'],
    ['a fingerprint of which less may be asked than before', { fingerprint: 'timeline=1' }, undefined],
    ['no fingerprint yet', { state: { databaseFingerprint: null } }, undefined],
    ['an orphan from before the last sweep', { actions: [orphan(secondsAgo(400))] }, undefined],
    ['an orphan from after it', { actions: [orphan(secondsAgo(200))] }, 'restored-backup'],
    [
      'an orphan that an earlier sweep saw',
      { actions: [orphan(secondsAgo(200))], knownOrphans: new Set(['9']) },
      undefined,
    ],
    [
      'an orphan at the first sweep of all',
      { actions: [orphan(secondsAgo(400))], state: { coveredUntil: null } },
      'restored-backup',
    ],
    [
      'a server of a later attempt',
      { actions: [{ kind: 'ahead', row: referenceWith(), server: made(NOW) }] },
      'restored-backup',
    ],
    [
      'a server of a later attempt that somebody has looked at',
      { actions: [{ kind: 'ahead', row: referenceWith(), server: made(secondsAgo(10)) }], state: { resumedAt: NOW } },
      undefined,
    ],
    [
      "a row's server of another installation",
      { actions: [{ kind: 'foreign', row: referenceWith({ createdAt: secondsAgo(10) }), server: made(NOW) }] },
      'instance-changed',
    ],
    [
      "a row's server of another installation that somebody has looked at",
      {
        actions: [{ kind: 'foreign', row: referenceWith({ createdAt: secondsAgo(10) }), server: made(NOW) }],
        state: { resumedAt: NOW },
      },
      undefined,
    ],
    [
      'second and late servers',
      {
        actions: [
          { kind: 'surplus', row: referenceWith(), server: made(NOW) },
          { kind: 'late', server: made(NOW) },
        ],
      },
      undefined,
    ],
  ])('by %s', (_what, changes, reason) => {
    expect(pauseReason(facts(changes))?.reason).toBe(reason);
  });
});

describe('fingerprintChanges', () => {
  it('compares what is known of both', () => {
    expect(fingerprintChanges('', 'system=1')).toEqual([]);
    expect(fingerprintChanges('system=1', '')).toEqual([]);
    expect(fingerprintChanges('system=1 database=5', 'database=6 system=1')).toEqual(['database']);
  });
});
