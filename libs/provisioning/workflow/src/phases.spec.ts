import { canFollow, PHASES, SETTLED_PHASES, TRANSITIONS, type Phase } from './phases';

describe('TRANSITIONS', () => {
  const allowed: [Phase, Phase][] = [
    ['creating-server', 'booting'],
    ['booting', 'installing'],
    ['installing', 'starting'],
    ['starting', 'ready'],
    ['failed', 'replacing'],
    ['failed', 'starting'],
    ['replacing', 'creating-server'],
    ['replacing', 'ready'],
    ['deleting', 'failed'],
  ];

  it.each(allowed)('%s → %s', (from, to) => {
    expect(canFollow(from, to)).toBe(true);
  });

  it('leads from every phase but deleting itself to deleting', () => {
    for (const phase of PHASES) expect(canFollow(phase, 'deleting')).toBe(phase !== 'deleting');
  });

  it('can fail in every phase that works on something', () => {
    for (const phase of PHASES) expect(canFollow(phase, 'failed')).toBe(!SETTLED_PHASES.includes(phase));
  });

  it('allows nothing else', () => {
    const expected = new Set(allowed.map(([from, to]) => `${from}→${to}`));
    for (const from of PHASES) {
      for (const to of TRANSITIONS[from]) {
        if (to === 'deleting' || to === 'failed') continue;
        expect(expected).toContain(`${from}→${to}`);
      }
    }
  });
});
