export type AuthenticationType = 'api_key' | 'keycloak';

/**
 * `unreachable` only after two looks in a row without a good answer; `healthy` again after one good answer. `lost`: the
 * provider says twice, some minutes apart, that there is no such server.
 */
export type Health = 'healthy' | 'unreachable' | 'credentials-refused' | 'lost';

/** What the controller sees of an agent-manager that it provisioned, from ready on; null of all others. */
export interface HealthView {
  health: Health | null;
  /** ISO 8601; of `unreachable` and `lost`, the first look without a good answer. */
  healthSince: string | null;
  /** When it was last looked at, ISO 8601. */
  healthCheckedAt: string | null;
}

/** What a caller checks the agent-manager's TLS by. */
export interface TlsView {
  /** Self-signed; its name is not an address: `curl --cacert FILE --connect-to NAME:3000:IP:3000 https://NAME:3000/…`. */
  certificatePem: string;
  /** SHA-256 of the public key, base64: `curl -k --pinnedpubkey sha256//…`. Stays when the certificate is renewed. */
  spkiSha256: string;
  serverName: string;
}

/** An agent-manager. Times are ISO 8601. */
export interface ClientView extends HealthView {
  id: string;
  /** Subject of the caller who made it. */
  owner: string;
  name: string;
  description: string | null;
  /** Base URL of the REST API; null until it is known. */
  endpoint: string | null;
  /** Port of Socket.IO on the same host, namespace `agents`. */
  agentWsPort: number;
  authenticationType: AuthenticationType;
  isAutoProvisioned: boolean;
  /** Whether deletion is refused. */
  protected: boolean;
  /** Null where the agent-manager has a certificate that any caller trusts. */
  tls: TlsView | null;
  /** What the agent-manager said of itself; null until it did. */
  config: { gitRepositoryUrl: string | null; agentTypes: string[] } | null;
  createdAt: string;
  updatedAt: string;
}

export interface CreateClientBody {
  name: string;
  description?: string;
  endpoint: string;
  agentWsPort?: number;
  authenticationType: AuthenticationType;
  apiKey?: string;
  keycloakClientId?: string;
  keycloakClientSecret?: string;
  keycloakRealm?: string;
  keycloakAuthServerUrl?: string;
  /** Refuses deletion until it is false again. */
  protected?: boolean;
}

/** Of a provisioned client only name, description and protected can be changed. */
export type UpdateClientBody = Partial<CreateClientBody>;
