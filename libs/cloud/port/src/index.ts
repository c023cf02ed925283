export { CLOUD_ERROR_KINDS, CloudError, type CloudErrorDetails, type CloudErrorKind } from './cloud-error';
export {
  PROVIDER_TYPES,
  type Architecture,
  type CloudProvider,
  type CloudServer,
  type Location,
  type Look,
  type LookWish,
  type ManagedKey,
  type OwnerQuery,
  type OwnerTag,
  type ProjectKey,
  type ProviderType,
  type ServerImage,
  type ServerSpec,
  type ServerStatus,
  type ServerType,
  type ServerTypeLocation,
  type SshKey,
  type WaitingServer,
} from './cloud-provider';
export { CloudProviderRegistry } from './cloud-provider-registry';
export { echoCleaner } from './echo-cleaner';
export {
  FIREWALL_NAME_PREFIX,
  firewallName,
  isFirewallOf,
  isSameInbound,
  type FirewallSpec,
  type InboundRule,
  type ManagedFirewall,
} from './firewall';
export { guardedTransport, type Transport } from './guarded-transport';
export { lookThroughPages, type LookSource } from './look-through-pages';
export { unlessGone } from './not-found';
export { numericId } from './numeric-id';
export { serverName } from './owner-name';
export { MAX_ANSWER_BYTES, providerAgent } from './provider-agent';
export { publicAddress } from './public-address';
export { rateLimitNews, type RateLimitNews } from './rate-limit-headers';
export {
  OPEN_GATE,
  type AdmittedRequest,
  type GatedRequest,
  type RateOfMinute,
  type RequestGate,
  type RequestLimits,
  type RequestOutcome,
  type RequestPurpose,
} from './request-gate';
export { operationName, silenceOf } from './request-words';
export { retryDecision, type RetryDecision } from './retry-policy';
