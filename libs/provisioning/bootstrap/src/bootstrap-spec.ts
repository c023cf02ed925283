/** How callers prove themselves to the agent-manager. */
export type AgentAuthentication =
  | { type: 'api_key'; apiKey: string }
  | { type: 'keycloak'; authServerUrl: string; realm: string; clientId: string; clientSecret: string };

export interface GitAccess {
  repositoryUrl?: string;
  username?: string;
  token?: string;
  password?: string;
  /** PEM, with its newlines. */
  privateKey?: string;
}

/** Key pair of the server's TLS proxy. */
export interface ServerTls {
  certificatePem: string;
  privateKeyPem: string;
  /** SHA-256 of the public key's SubjectPublicKeyInfo, base64: what callers pin. */
  spkiSha256: string;
  /** `<client id>.agent.internal`: the name in the certificate; the server's address is not known when it is made. */
  serverName: string;
}

/** Random values that exist once per server. */
export interface ServerSecrets {
  databasePassword: string;
  jwtSecret: string;
  /** Base64 of 32 bytes. */
  encryptionKey: string;
}

export interface ContainerImages {
  agentManager: string;
  postgres: string;
  proxy: string;
}

/** Where the server reports to, when the controller can be reached from outside. */
export interface Callback {
  /** HTTPS; the server verifies it by the ordinary web PKI. */
  url: string;
  token: string;
  /** Base64 of the SHA-256 of public keys, one of which must answer as well; empty: any that the PKI accepts. */
  pins: string[];
}

/** Where the server fetches its secret files, when the controller can be reached from outside. */
export interface Redemption extends Callback {
  provisioningId: string;
  attempt: number;
}

/** Everything that the user data of one server says. Strings may hold anything but NUL and lone surrogates. */
export interface BootstrapSpec {
  images: ContainerImages;
  /** Port of the server on which the proxy publishes Socket.IO. */
  agentWsPort: number;
  authentication: AgentAuthentication;
  git: GitAccess;
  cursorApiKey?: string;
  /** Image of the agents that the agent-manager starts. */
  agentDefaultImage: string;
  /** Further variables of the agent-manager; names are none of `RESERVED_VARIABLES`. */
  environment: Record<string, string>;
  secrets: ServerSecrets;
  callback?: Callback;
  /** Where it is given, user data holds its token and no other secret: the server fetches the rest. */
  redemption?: Redemption;
  tls: Pick<ServerTls, 'certificatePem' | 'privateKeyPem' | 'serverName'>;
}
