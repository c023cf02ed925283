const DEFAULT_SIZE = 25;
const MAX_SIZE = 50;

/** One page of a list as Hetzner answers it. */
export function page(
  key: string,
  all: readonly object[],
  query: Record<string, string | undefined>,
): Record<string, unknown> {
  const { name } = query;
  const found = name === undefined ? all : all.filter((each) => (each as { name?: string }).name === name);
  const size = Math.min(MAX_SIZE, Number(query['per_page'] ?? DEFAULT_SIZE));
  const number = Math.max(1, Number(query['page'] ?? 1));
  const last = Math.max(1, Math.ceil(found.length / size));
  return {
    [key]: found.slice((number - 1) * size, number * size),
    meta: {
      pagination: {
        page: number,
        per_page: size,
        previous_page: number > 1 ? number - 1 : null,
        next_page: number < last ? number + 1 : null,
        last_page: last,
        total_entries: found.length,
      },
    },
  };
}
