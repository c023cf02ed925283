import { HetznerRefusalError } from './hetzner-refusal.error';

const DEFAULT_SIZE = 25;
const MAX_SIZE = 50;

/**
 * One page of a list as Hetzner answers it; `?name=` is exact.
 * @param view what is shown of each: made for this page only
 * @throws HetznerRefusalError `invalid_input` for a page or a size that is no positive whole number
 */
export function page<T extends object>(
  key: string,
  all: readonly T[],
  query: Record<string, string | undefined>,
  view: (each: T) => object = (each) => each,
): Record<string, unknown> {
  const { name } = query;
  const found = name === undefined ? all : all.filter((each) => (each as { name?: string }).name === name);
  const size = Math.min(MAX_SIZE, positive('per_page', query) ?? DEFAULT_SIZE);
  const number = positive('page', query) ?? 1;
  const last = Math.max(1, Math.ceil(found.length / size));
  return {
    [key]: found.slice((number - 1) * size, number * size).map(view),
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

function positive(field: string, query: Record<string, string | undefined>): number | undefined {
  const text = query[field];
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw HetznerRefusalError.invalidInput(field, 'must be a positive integer');
  return Number(text);
}
