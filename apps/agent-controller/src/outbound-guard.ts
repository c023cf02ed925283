import { OutboundGuard } from '@agent-controller/outbound';
import type { Env } from './env';

/** What this installation may call. */
export function outboundGuard(env: Env): OutboundGuard {
  return new OutboundGuard({
    allowedHosts: env.OUTBOUND_ALLOWED_HOSTS,
    allowedNetworks: env.OUTBOUND_ALLOWED_NETWORKS,
    configuredUrls: [env.KEYCLOAK_AUTH_SERVER_URL, env.OIDC_ISSUER_URL].filter((url) => url !== undefined),
  });
}
