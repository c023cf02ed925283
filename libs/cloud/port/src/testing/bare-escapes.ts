import type { KnownDifference } from './openapi-checker';

type Tree = Record<string, unknown>;

/** Of DigitalOcean's description. */
export const BARE_ESCAPES: KnownDifference = {
  why: 'patterns escape what Unicode mode wants bare',
  correct: (description) => void bareEscapes(description),
};

function bareEscapes(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  const tree = node as Tree;
  if (typeof tree['pattern'] === 'string') {
    tree['pattern'] = tree['pattern'].replace(/\\([:-])/g, (_, c) => (c === '-' ? '\\x2d' : c));
  }
  for (const each of Object.values(tree)) bareEscapes(each);
}
