/**
 * The key or token of an `Authorization` header: `Bearer` or `ApiKey`.
 * @param allowsBasic as the password of any user, for browsers that open the documentation
 */
export function credential(header: string | undefined, allowsBasic: boolean): string | null {
  const match = /^(Bearer|ApiKey|Basic) +(\S+) *$/i.exec(header ?? '');
  const [, scheme = '', value = ''] = match ?? [];
  if (!match) return null;
  if (scheme.toLowerCase() !== 'basic') return value;
  if (!allowsBasic) return null;
  return Buffer.from(value, 'base64').toString('utf8').split(':').slice(1).join(':') || null;
}
