import type { ContainerImages, GitAccess, ServerSecrets } from '@agent-controller/provisioning-bootstrap';
import type { Phase } from './phases';

/** Codes of what can go wrong with a provisioning. Stable: callers branch on them. */
export type FailureCode =
  | 'provider-auth'
  | 'provider-invalid'
  | 'provider-quota'
  | 'provider-capacity'
  | 'provider-not-configured'
  | 'provider-conflict'
  | 'wrong-project'
  | 'server-vanished'
  | 'timed-out'
  | 'installation-failed'
  | 'adopted-without-credentials'
  | 'secrets-unreadable'
  | 'internal-error';

/** Why a provisioning failed, or what its last step met. Holds no secret. */
export interface ProvisioningFailure {
  code: FailureCode | 'provider-unavailable' | 'provider-rate-limited' | 'outcome-unknown';
  /** What happened, for people. */
  message: string;
  /** What to do about it, for people. */
  action: string;
  phase: Phase;
  /** ISO 8601. */
  at: string;
  providerCode?: string;
  requestId?: string;
}

/** A key of the project by its id then, or a public key that is put there. */
export type StoredSshKey = { name: string; id: string } | { publicKey: string };

/** A type of server at a location, with what it costs there, as billed; null when that was not known. */
export interface ServerChoice {
  serverType: string;
  location: string;
  monthlyCost: number | null;
  currency: string | null;
}

/** What was asked for, without secrets. */
export interface ProvisioningConfiguration {
  images: ContainerImages;
  agentWsPort: number;
  authenticationType: 'api_key' | 'keycloak';
  keycloakAuthServerUrl: string | null;
  keycloakRealm: string | null;
  keycloakClientId: string | null;
  gitRepositoryUrl: string | null;
  gitUsername: string | null;
  agentDefaultImage: string;
  /** Names only: their values may be secret. */
  environmentVariables: string[];
  /** Absent in rows from before there were any. */
  sshKeys?: StoredSshKey[];
  /** Networks that may connect, as they were asked for; absent for anywhere. */
  allowedCidrs?: string[];
  /** What to order instead where there is no room, in this order; absent where nothing was named. */
  fallback?: ServerChoice[];
  /** Beside `fallback`: what was asked for before it. */
  firstChoice?: ServerChoice;
}

/** The secrets that the next steps need. */
export interface ProvisioningSecrets {
  git: Omit<GitAccess, 'repositoryUrl' | 'username'>;
  cursorApiKey?: string;
  environment: Record<string, string>;
  server: ServerSecrets;
  tlsPrivateKeyPem: string;
}
