import type { ClientWithoutCredentials } from './client.repository';

/** A client as callers see it; no secret is in it. Has the shape of the contracts' `ClientView`. */
export function toClientView(client: ClientWithoutCredentials) {
  return {
    id: client.id,
    owner: client.owner,
    name: client.name,
    description: client.description,
    endpoint: client.endpoint,
    agentWsPort: client.agentWsPort,
    authenticationType: client.authenticationType,
    isAutoProvisioned: client.isAutoProvisioned,
    protected: client.isProtected,
    tls: toTlsView(client),
    config: client.agentConfig,
    ...toHealthView(client),
    createdAt: client.createdAt.toISOString(),
    updatedAt: client.updatedAt.toISOString(),
  };
}

export function toHealthView({ health, healthSince, healthCheckedAt }: ClientWithoutCredentials) {
  return {
    health,
    healthSince: healthSince?.toISOString() ?? null,
    healthCheckedAt: healthCheckedAt?.toISOString() ?? null,
  };
}

export function toTlsView({ tlsCertificatePem, tlsSpkiSha256, tlsServerName }: ClientWithoutCredentials) {
  if (!tlsCertificatePem || !tlsSpkiSha256 || !tlsServerName) return null;
  return { certificatePem: tlsCertificatePem, spkiSha256: tlsSpkiSha256, serverName: tlsServerName };
}
