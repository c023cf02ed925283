import { OutboundGuard, type Lookup } from '../outbound-guard';

/** For tests whose servers are on this machine. @param lookup instead of DNS */
export function loopbackGuard(allowedHosts: readonly string[] = ['127.0.0.1'], lookup?: Lookup): OutboundGuard {
  return new OutboundGuard({ allowedHosts, allowedNetworks: ['127.0.0.0/8', '::1'], configuredUrls: [] }, lookup);
}
