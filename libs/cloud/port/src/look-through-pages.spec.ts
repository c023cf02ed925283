import { CloudError } from './cloud-error';
import type { CloudServer } from './cloud-provider';
import { lookThroughPages } from './look-through-pages';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1_000);
/** A server that was ordered in the second that is its id. */
const server = (id: number) => ({ id: String(id), createdAt: at(id) }) as CloudServer;
const waiting = (...ids: number[]) => ids.map((id) => ({ serverId: String(id), createdAt: at(id) }));
const range = (from: number, to: number) => Array.from({ length: Math.abs(to - from) + 1 }, (_, n) => from - n);

/** A project whose list has pages of so many, newest first; counts what was asked. */
function project(listed: number[], size: number, existing = listed) {
  const asked: string[] = [];
  async function* pages(): AsyncGenerator<CloudServer[]> {
    for (let from = 0; from === 0 || from < listed.length; from += size) {
      asked.push(`page ${from / size + 1}`);
      yield listed.slice(from, from + size).map(server);
    }
  }
  const get = async (id: string) => {
    asked.push(id);
    if (!existing.includes(Number(id))) throw new CloudError('not-found', 'no such server');
    return server(Number(id));
  };
  const look = async (ids: number[], options: { isNewestFirst?: boolean; byIdUpTo?: number } = {}) => {
    const source = { get, pages: pages(), isNewestFirst: true, byIdUpTo: 1, ...options };
    const { servers, requests } = await lookThroughPages(waiting(...ids), source);
    expect(requests).toBe(asked.length);
    return servers.map(({ id }) => Number(id));
  };
  return { asked, look };
}

describe('lookThroughPages', () => {
  it('asks nothing for nobody', async () => {
    const { asked, look } = project([], 2);
    expect(await look([])).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('asks for few by id, and leaves out what is not found', async () => {
    const { asked, look } = project([9, 8, 7], 2);
    expect(await look([7, 1], { byIdUpTo: 2 })).toEqual([7]);
    expect(asked).toEqual(['7', '1']);
  });

  it('reads no page more when all were seen', async () => {
    const { asked, look } = project(range(100, 1), 10);
    expect(await look([100, 95, 93])).toEqual([100, 95, 93]);
    expect(asked).toEqual(['page 1']);
  });

  it('knows that what should stand on a page, and does not, will not come', async () => {
    const { asked, look } = project([100, 99, 50, 49, 48, 47], 3);
    expect(await look([98, 97, 96, 95])).toEqual([]);
    expect(asked).toEqual(['page 1']);
  });

  it('goes on while what it looks for may stand on the next page', async () => {
    const { asked, look } = project([9, 9, 9, 9, 8, 7], 2);
    expect(await look([9, 8, 7])).toEqual([9, 8, 7]);
    expect(asked).toEqual(['page 1', 'page 2', '8', '7']);
  });

  it('costs the same however many are older', async () => {
    const few = project(range(1_020, 1_001), 50);
    const many = project(range(1_020, 1), 50);
    for (const { look } of [few, many]) await look([1_020, 1_010, 1_005]);
    expect(few.asked).toEqual(many.asked);
  });

  it('asks by id for old ones behind a long list, and never costs more than twice that', async () => {
    const { asked, look } = project(range(10_000, 1), 50);
    expect(await look([3, 2, 1])).toEqual([3, 2, 1]);
    expect(asked).toEqual(['page 1', 'page 2', 'page 3', '3', '2', '1']);
  });

  it('believes nothing of a list without an order before its end', async () => {
    const { asked, look } = project([1, 9, 2, 8], 2);
    expect(await look([9, 8, 7, 6], { isNewestFirst: false })).toEqual([9, 8]);
    expect(asked).toEqual(['page 1', 'page 2', '7', '6']);
  });
});
