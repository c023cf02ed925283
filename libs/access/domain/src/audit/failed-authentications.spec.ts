import { FailedAuthentications } from './failed-authentications';
import { AuditTrail } from './audit-trail';
import type { NewAuditEntry } from './audit-trail.repository';
import type { Logger } from '@agent-controller/kernel';

const failure = (address: string, requestId = 'r') => ({ address, status: 401, code: 'unauthorized', requestId });

describe('FailedAuthentications', () => {
  let written: NewAuditEntry[];
  let failures: FailedAuthentications;

  beforeEach(() => {
    written = [];
    failures = new FailedAuthentications(
      { note: async (entry) => void written.push(entry) },
      { now: () => new Date('2026-11-23T12:00:00Z') },
    );
  });

  it('writes the first at once, and sums up those after it', async () => {
    failures.note(failure('192.0.2.1', 'first'));
    expect(written).toMatchObject([{ address: '192.0.2.1', action: 'authentication', requestId: 'first', count: 1 }]);
    for (let index = 0; index < 1_000; index++) failures.note(failure('192.0.2.1', `r-${index}`));
    failures.note(failure('192.0.2.2'));
    expect(written).toHaveLength(2);
    await failures.flush();
    expect(written).toHaveLength(3);
    expect(written[2]).toMatchObject({ address: '192.0.2.1', count: 1_000, requestId: 'r-999', subject: null });
    failures.note(failure('192.0.2.1'));
    expect(written).toHaveLength(4);
    await failures.flush();
  });

  it('tells no more than a thousand addresses apart', async () => {
    for (let index = 0; index < 5_000; index++) failures.note(failure(`address-${index}`));
    expect(written).toHaveLength(1_001);
    await failures.flush();
    expect(written).toHaveLength(1_002);
    expect(written.at(-1)).toMatchObject({ address: 'others', count: 3_999 });
  });
});

describe('AuditTrail', () => {
  it.each([
    ['fails', () => Promise.reject(new Error('away'))],
    ['never ends', () => new Promise<never>(() => undefined)],
  ])('puts into the log what it cannot write, and fails nothing, when the database %s', async (_what, append) => {
    const logged: object[] = [];
    const error = (fields: object) => void logged.push(fields);
    const entry = { subject: 'someone', action: 'POST /api/clients' } as NewAuditEntry;
    await new AuditTrail({ append }, { error } as unknown as Logger).note(entry);
    expect(logged).toMatchObject([{ entry }]);
  });

  it('writes together what comes while it writes, in its order, and each caller waits for its own', async () => {
    const written: string[][] = [];
    const ends: (() => void)[] = [];
    const append = (entries: readonly NewAuditEntry[]) => {
      written.push(entries.map(({ action }) => action));
      return new Promise<void>((resolve) => ends.push(resolve));
    };
    const trail = new AuditTrail({ append }, {} as Logger);
    const done: string[] = [];
    const note = (action: string) => trail.note({ action } as NewAuditEntry).then(() => done.push(action));
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const all = [note('a')];
    await turn();
    all.push(note('b'), note('c'));
    await turn();
    expect([written, done]).toEqual([[['a']], []]);
    ends[0]?.();
    await turn();
    all.push(note('d'));
    expect([written, done]).toEqual([[['a'], ['b', 'c']], ['a']]);
    ends[1]?.();
    await turn();
    expect([written, done]).toEqual([
      [['a'], ['b', 'c'], ['d']],
      ['a', 'b', 'c'],
    ]);
    ends[2]?.();
    await Promise.all(all);
  });
});
