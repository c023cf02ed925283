import type { AgentLook } from '../agent/agent-health';
import { isInDoubt, nextHealth, type HealthState } from './health-rule';

const healthy: AgentLook = { state: 'healthy' };
const unverified: AgentLook = { state: 'unverified' };
const unreachable: AgentLook = { state: 'unreachable', reason: 'ECONNREFUSED' };
const refused: AgentLook = { state: 'credentials-refused', reason: '401' };

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute));
const unknown: HealthState = { health: null, since: null, failingSince: null };

/** Looks, a minute apart. */
const after = (...looks: AgentLook[]) => looks.reduce((state, look, i) => nextHealth(state, look, at(i)), unknown);

describe('nextHealth', () => {
  it.each<[string, AgentLook[], HealthState]>([
    ['a good look', [healthy], { health: 'healthy', since: at(0), failingSince: null }],
    ['more good looks', [healthy, healthy], { health: 'healthy', since: at(0), failingSince: null }],
    ['one failed look', [healthy, unreachable], { health: 'healthy', since: at(0), failingSince: at(1) }],
    ['one failed look at all', [unreachable], { health: null, since: null, failingSince: at(0) }],
    ['two', [healthy, unreachable, unreachable], { health: 'unreachable', since: at(1), failingSince: at(1) }],
    ['two at all', [unreachable, unreachable], { health: 'unreachable', since: at(0), failingSince: at(0) }],
    ['four', [healthy, ...Array(4).fill(unreachable)], { health: 'unreachable', since: at(1), failingSince: at(1) }],
    [
      'two, with a good one between',
      [healthy, unreachable, healthy, unreachable],
      { health: 'healthy', since: at(0), failingSince: at(3) },
    ],
    [
      'a good look after two failed ones',
      [healthy, unreachable, unreachable, healthy],
      { health: 'healthy', since: at(3), failingSince: null },
    ],
    ['a refusal', [healthy, refused], { health: 'credentials-refused', since: at(1), failingSince: null }],
    ['refusals', [healthy, refused, refused], { health: 'credentials-refused', since: at(1), failingSince: null }],
    [
      'a refusal between failed looks',
      [healthy, unreachable, refused, unreachable],
      { health: 'credentials-refused', since: at(2), failingSince: at(3) },
    ],
    ['a good look after a refusal', [refused, healthy], { health: 'healthy', since: at(1), failingSince: null }],
    ['a look that could not ask', [unverified], { health: 'healthy', since: at(0), failingSince: null }],
    [
      'such a look after a refusal',
      [healthy, refused, unverified],
      { health: 'credentials-refused', since: at(1), failingSince: null },
    ],
    [
      'such a look after two failed ones',
      [unreachable, unreachable, unverified],
      { health: 'healthy', since: at(2), failingSince: null },
    ],
  ])('after %s', (_what, looks, state) => {
    expect(after(...looks)).toEqual(state);
  });

  it('is in doubt after the first failed look only', () => {
    const looks = [healthy, unreachable, unreachable, unreachable, healthy, unreachable];
    const states = looks.map((_look, i) => after(...looks.slice(0, i + 1)));
    const doubts = states.map((state, i) => isInDoubt(states[i - 1] ?? unknown, state));
    expect(doubts).toEqual([false, true, false, false, false, true]);
  });
});
