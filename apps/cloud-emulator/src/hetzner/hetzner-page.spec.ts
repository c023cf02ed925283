import { page } from './hetzner-page';

const all = Array.from({ length: 120 }, (_, index) => ({ id: index + 1, name: `n${index + 1}` }));

interface Pagination {
  page: number;
  per_page: number;
  previous_page: number | null;
  next_page: number | null;
  last_page: number;
  total_entries: number;
}

function read(query: Record<string, string>, from: readonly object[] = all) {
  const answer = page('things', from, query) as { things: { id: number }[]; meta: { pagination: Pagination } };
  return { ids: answer.things.map(({ id }) => id), pagination: answer.meta.pagination };
}

describe('page', () => {
  it('has 25 entries when not told, and says where the next is', () => {
    const { ids, pagination } = read({});
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([25, 1, 25]);
    expect(pagination).toEqual({
      page: 1,
      per_page: 25,
      previous_page: null,
      next_page: 2,
      last_page: 5,
      total_entries: 120,
    });
  });

  it('has 50 entries at most', () => {
    const { ids, pagination } = read({ per_page: '500' });
    expect([ids.length, pagination.per_page, pagination.last_page]).toEqual([50, 50, 3]);
  });

  it('shows every entry once, and null as the next page of the last', () => {
    const seen: number[] = [];
    let next: number | null = 1;
    while (next !== null) {
      const { ids, pagination } = read({ per_page: '50', page: String(next) });
      seen.push(...ids);
      next = pagination.next_page;
    }
    expect(seen).toEqual(all.map(({ id }) => id));
  });

  it('has no next page where the entries just fill it', () => {
    expect(read({ per_page: '50' }, all.slice(0, 50)).pagination).toMatchObject({ next_page: null, last_page: 1 });
  });

  it('is empty behind the last page, and for an empty list', () => {
    expect(read({ page: '9' })).toMatchObject({ ids: [], pagination: { previous_page: 8, next_page: null } });
    expect(read({}, [])).toMatchObject({ ids: [], pagination: { next_page: null, last_page: 1, total_entries: 0 } });
  });

  it('finds a name exactly', () => {
    expect(read({ name: 'n12' })).toMatchObject({ ids: [12], pagination: { total_entries: 1, next_page: null } });
    expect(read({ name: 'n' }).ids).toEqual([]);
  });

  it.each<Record<string, string>>([
    { page: '0' },
    { page: '-1' },
    { page: 'x' },
    { page: '1.5' },
    { per_page: '0' },
    { per_page: '' },
  ])('refuses %j', (query) => expect(() => read(query)).toThrow(/invalid input in field '(per_)?page'/));
});
