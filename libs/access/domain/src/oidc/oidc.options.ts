import type { Role } from '@agent-controller/kernel';

/** Whose access tokens are accepted, and what their claims mean. */
export interface OidcOptions {
  /** As it stands in `iss`, exactly. */
  issuer: string;
  /** One of these must be in `aud`. */
  audiences: string[];
  /** Its roles in `resource_access` count by their plain names. */
  clientId: string;
  /** A further claim with names of roles: a path with dots, such as `groups`. */
  rolesClaim: string | null;
  /** Roles of the issuer that stand for roles here. */
  roleNames: Record<string, Role>;
  /** Tokens that were issued longer ago are refused even before they expire; null: only `exp` counts. */
  maxTokenAgeSeconds: number | null;
}
