import { includesRole, ROLES, type Role } from '@agent-controller/kernel';
import type { OidcOptions } from './oidc.options';

type Claims = Record<string, unknown>;

/**
 * The highest role that a token's claims give: `realm_access.roles`, `resource_access.<client>.roles` (both Keycloak's),
 * and the configured claim. Plain names (`admin`) count only among the roles of our own client: a realm's `admin` is
 * somebody else's administrator.
 */
export function roleOf(
  claims: Claims,
  options: Pick<OidcOptions, 'clientId' | 'rolesClaim' | 'roleNames'>,
): Role | null {
  const own = names(at(claims, ['resource_access', options.clientId, 'roles']));
  const foreign = [
    ...names(at(claims, ['realm_access', 'roles'])),
    ...(options.rolesClaim ? names(at(claims, [options.rolesClaim]) ?? at(claims, options.rolesClaim.split('.'))) : []),
  ];
  const plain = own.filter((name): name is Role => (ROLES as readonly string[]).includes(name));
  const mapped = [...own, ...foreign].flatMap((name) =>
    Object.hasOwn(options.roleNames, name) ? (options.roleNames[name] ?? []) : [],
  );
  return [...plain, ...mapped].reduce<Role | null>(
    (best, role) => (best === null || includesRole(role, best) ? role : best),
    null,
  );
}

function at(claims: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Claims)[key] : undefined,
    claims,
  );
}

/** A list, or names with spaces between, as scopes are written. */
function names(value: unknown): string[] {
  if (typeof value === 'string') return value.split(' ').filter((name) => name !== '');
  return Array.isArray(value) ? value.filter((name): name is string => typeof name === 'string') : [];
}
