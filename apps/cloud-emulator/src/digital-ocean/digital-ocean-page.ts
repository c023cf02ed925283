const DEFAULT_SIZE = 20;
const MAX_SIZE = 200;

/** One page of a list as DigitalOcean answers it: links only to pages that exist. What is no number is not heeded. */
export function page<T extends object>(
  key: string,
  all: readonly T[],
  query: Record<string, string | undefined>,
  url: string,
  view: (each: T) => object = (each) => each,
): Record<string, unknown> {
  const size = Math.min(MAX_SIZE, positive(query['per_page']) ?? DEFAULT_SIZE);
  const number = positive(query['page']) ?? 1;
  const last = Math.max(1, Math.ceil(all.length / size));
  const link = (target: number) => {
    const params = new URLSearchParams({ ...query, page: String(target), per_page: String(size) } as Record<
      string,
      string
    >);
    return `${url}?${params.toString()}`;
  };
  const pages = {
    ...(number > 1 ? { first: link(1), prev: link(number - 1) } : {}),
    ...(number < last ? { next: link(number + 1), last: link(last) } : {}),
  };
  return {
    [key]: all.slice((number - 1) * size, number * size).map(view),
    links: Object.keys(pages).length > 0 ? { pages } : {},
    meta: { total: all.length },
  };
}

function positive(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}
