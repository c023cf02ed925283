import { HetznerRefusalError } from './hetzner-refusal.error';

type Labels = Readonly<Record<string, string>>;

const KEY = '[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?';
const VALUE = '[A-Za-z0-9._-]*';
const HAS = new RegExp(`^(!)?\\s*(${KEY})$`);
const IS = new RegExp(`^(${KEY})\\s*(==?|!=)\\s*(${VALUE})$`);
const IN = new RegExp(`^(${KEY})\\s+(in|notin)\\s+\\(([^()]*)\\)$`);

/**
 * Does the selector fit? `key`, `!key`, `key=value` (or `==`), `key!=value`, `key in (a,b)`, `key notin (a,b)`; several
 * with commas must all fit. The negative ones fit what lacks the key as well.
 * @throws HetznerRefusalError `invalid_input` for anything else
 */
export function matchesSelector(labels: Labels, selector: string): boolean {
  return terms(selector).every((term) => matches(labels, term));
}

/** A comma inside parentheses separates values. */
function terms(selector: string): string[] {
  return selector.split(/,(?![^()]*\))/).map((term) => term.trim());
}

function matches(labels: Labels, term: string): boolean {
  const has = HAS.exec(term);
  if (has) return Object.hasOwn(labels, has[2] ?? '') !== (has[1] === '!');
  const is = IS.exec(term);
  if (is) return (labels[is[1] ?? ''] === is[3]) !== (is[2] === '!=');
  const within = IN.exec(term);
  if (!within) throw HetznerRefusalError.invalidInput('label_selector', 'invalid label selector');
  const [, key = '', operator, list = ''] = within;
  const values = list.split(',').map((value) => value.trim());
  return values.includes(labels[key] ?? '\0') === (operator === 'in');
}
