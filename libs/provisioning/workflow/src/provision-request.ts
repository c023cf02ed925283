/** A key that may log in as root: one that the project has, or a line in OpenSSH's format. */
export type SshKeyRequest = { name: string } | { publicKey: string };

/** What to order instead, where there is no room for what was asked for. */
export interface FallbackRequest {
  serverType: string;
  location: string;
}

/** What a caller asks for, checked for its form. */
export interface ProvisionRequest {
  providerType: string;
  serverType: string;
  location?: string;
  /** In the order in which they are tried. */
  fallback?: FallbackRequest[];
  /** Name or id; the controller's default when absent. */
  image?: string;
  sshKeys: SshKeyRequest[];
  /** Networks in CIDR notation that may connect to the server; anywhere when absent. */
  allowedCidrs?: string[];
  /** A hostname label by RFC 1123; generated when absent. */
  name?: string;
  description?: string;
  /** Whether deletion is refused until that is taken back. */
  isProtected?: boolean;
  authentication:
    | { type: 'api_key'; apiKey?: string }
    | { type: 'keycloak'; authServerUrl?: string; realm?: string; clientId: string; clientSecret: string };
  agentWsPort: number;
  git: { repositoryUrl?: string; username?: string; token?: string; password?: string; privateKey?: string };
  cursorApiKey?: string;
  agentDefaultImage: string;
  environment: Record<string, string>;
}
