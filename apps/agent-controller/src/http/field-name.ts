const MAX_LENGTH = 64;

/**
 * A name that came from outside, to be shown: cut, and without what a terminal or a page would obey. Never empty, so that
 * an error always says where.
 */
export function shownName(name: string): string {
  return name.slice(0, MAX_LENGTH).replace(/[\p{C}\p{Z}]/gu, '?') || '""';
}
