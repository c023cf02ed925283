// Which licences the controller may be built from. All of them allow what the MIT licence of this repository does.
const ALLOWED = new Set([
  ...['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0'],
  ...['Python-2.0', 'PSF-2.0', 'Unlicense', 'CC0-1.0', 'Zlib'],
]);

/**
 * Whether an SPDX expression can be met by licences that are allowed: of OR one, of AND all. What is not understood is
 * not allowed.
 * @param {unknown} expression of a package.json
 */
export function isAllowedLicence(expression) {
  if (typeof expression !== 'string') return false;
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const any = () => {
    let isMet = all();
    while (tokens[at] === 'OR' && ++at) isMet = all() || isMet;
    return isMet;
  };
  const all = () => {
    let isMet = one();
    while (tokens[at] === 'AND' && ++at) isMet = one() && isMet;
    return isMet;
  };
  const one = () => {
    const token = tokens[at++];
    if (token !== '(') return ALLOWED.has(token);
    const isMet = any();
    return tokens[at++] === ')' && isMet;
  };
  const isMet = any();
  return isMet && at === tokens.length;
}
