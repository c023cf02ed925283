export { ACCESS_ENTITIES, AccessModule, type AccessModuleOptions } from './access.module';
export { API_KEY_ENTRY_KIND, parseApiKeyEntries, type ApiKeyEntry } from './api-keys/api-key-entry';
export {
  ApiKeyAuthenticator,
  sha256,
  STATIC_SUBJECT,
  toKnownKey,
  type KnownKey,
} from './api-keys/api-key.authenticator';
export { ApiKeyFile } from './api-keys/api-key.file';
export { AuditEntry } from './audit/audit-entry.entity';
export { AuditTrail } from './audit/audit-trail';
export { AuditTrailRepository, type AuditFilter, type NewAuditEntry } from './audit/audit-trail.repository';
export { FailedAuthentications, type FailedAuthentication } from './audit/failed-authentications';
export type { Authentication, Authenticator, Identity, Rejection } from './identity';
export { KnownCredentials } from './limits/known-credentials';
export { networkOf } from './limits/network-address';
export { RateLimiter, type Verdict } from './limits/rate-limiter';
export { OidcAuthenticator } from './oidc/oidc.authenticator';
export type { OidcOptions } from './oidc/oidc.options';
export { Public, Roles, type RouteAccess } from './roles.decorator';
