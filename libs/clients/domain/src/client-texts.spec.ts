import { ClientTexts } from './client-texts';
import { Client } from './client.entity';
import type { ClientWithoutCredentials, ListedClient } from './client.repository';

describe('ClientTexts', () => {
  let rows: Map<string, ClientWithoutCredentials & ListedClient>;
  let loaded: string[][];
  let texts: ClientTexts;

  beforeEach(() => {
    rows = new Map();
    loaded = [];
    texts = new ClientTexts({
      loadListed: async (ids) => {
        loaded.push([...ids]);
        // In another order than was asked for, as a database may answer.
        return [...ids].reverse().flatMap((id) => rows.get(id) ?? []);
      },
    });
  });

  function write(id: string, change: string, name: string): ListedClient {
    const time = new Date('2026-11-23T12:00:00Z');
    rows.set(id, Object.assign(new Client(), { id, change, name, createdAt: time, updatedAt: time }));
    return { id, change };
  }
  const namesOf = async (...listed: ListedClient[]) =>
    (await texts.of(listed)).map(({ json }) => (JSON.parse(json) as { name: string }).name);

  it('are in the order of the page, and made once', async () => {
    const page = [write('a', '1', 'one'), write('b', '1', 'two')];
    expect(await namesOf(...page)).toEqual(['one', 'two']);
    expect(await namesOf(...page)).toEqual(['one', 'two']);
    expect(loaded).toEqual([['a', 'b']]);
  });

  it('are made again for what was written since', async () => {
    const [a, b] = [write('a', '1', 'one'), write('b', '1', 'two')];
    await namesOf(a, b);
    expect(await namesOf(a, write('b', '2', 'renamed'))).toEqual(['one', 'renamed']);
    expect(loaded).toEqual([['a', 'b'], ['b']]);
  });

  it('leave out what is gone by the second question, and take what was written between the two', async () => {
    const [a, b] = [write('a', '1', 'one'), write('b', '1', 'two')];
    rows.delete('a');
    write('b', '2', 'renamed');
    expect(await namesOf(a, b)).toEqual(['renamed']);
    expect(await namesOf({ id: 'b', change: '2' })).toEqual(['renamed']);
    expect(loaded).toHaveLength(1);
  });
});
