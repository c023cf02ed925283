export { addressKind, type AddressKind } from './address-kind';
export { HostList, isHost } from './host-list';
export { isNetwork, NetworkList } from './network-list';
export {
  OutboundGuard,
  OutboundRefusedError,
  pinnedLookup,
  type Destination,
  type Lookup,
  type OutboundRules,
  type ResolvedAddress,
} from './outbound-guard';
export {
  exchange,
  MIN_TLS_VERSION,
  outboundRequest,
  type OutboundAnswer,
  type OutboundRequest,
} from './outbound-request';
