import { page } from './digital-ocean-page';

const URL_OF_LIST = 'http://127.0.0.1/digitalocean/v2/things';
const all = Array.from({ length: 450 }, (_, index) => ({ id: index + 1 }));

function read(query: Record<string, string>, from: readonly object[] = all) {
  return page('things', from, query, URL_OF_LIST) as {
    things: { id: number }[];
    links: { pages?: Record<'first' | 'prev' | 'next' | 'last', string | undefined> };
    meta: { total: number };
  };
}

describe('page', () => {
  it('has 20 entries when not told, and links to the next and the last page', () => {
    const { things, links, meta } = read({ tag_name: 'mine' });
    expect([things.length, meta.total]).toEqual([20, 450]);
    expect(links.pages).toEqual({
      next: `${URL_OF_LIST}?tag_name=mine&page=2&per_page=20`,
      last: `${URL_OF_LIST}?tag_name=mine&page=23&per_page=20`,
    });
  });

  it('has 200 entries at most', () => expect(read({ per_page: '1000' }).things).toHaveLength(200));

  it('shows every entry once, and no next link on the last page', () => {
    const seen: number[] = [];
    let query: Record<string, string> | null = { per_page: '200' };
    while (query) {
      const { things, links } = read(query);
      seen.push(...things.map(({ id }) => id));
      query = links.pages?.next ? Object.fromEntries(new URL(links.pages.next).searchParams) : null;
    }
    expect(seen).toEqual(all.map(({ id }) => id));
  });

  it('has no links at all when everything fits', () => {
    expect(read({}, all.slice(0, 20)).links).toEqual({});
    expect(read({}, [])).toEqual({ things: [], links: {}, meta: { total: 0 } });
  });

  it.each<Record<string, string>>([{ page: '0' }, { page: 'x' }, { per_page: '-5' }, { per_page: 'x' }])(
    'does not heed %j',
    (query) => {
      expect(read(query).things.map(({ id }) => id)).toEqual(all.slice(0, 20).map(({ id }) => id));
    },
  );
});
