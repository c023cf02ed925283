import type { AuthenticationType, ClientView, HealthView, TlsView } from './client.types';
import type { ProviderType } from './provider.types';

export type Phase =
  'creating-server' | 'booting' | 'installing' | 'starting' | 'ready' | 'replacing' | 'deleting' | 'failed';

export interface FallbackChoice {
  serverType: string;
  location: string;
}

/** What a server of a type costs at a location, as billed; null when that was not known. */
export interface ServerChoiceView extends FallbackChoice {
  monthlyCost: number | null;
  currency: string | null;
}

/** What could be found out of it: all when there are no problems. */
export type PreviewChoiceView = { [Key in keyof ServerChoiceView]: ServerChoiceView[Key] | null };

export interface ProvisionServerBody {
  providerType: string;
  serverType: string;
  /** A hostname label; generated when absent. */
  name?: string;
  description?: string;
  /** Refuses deletion until a PATCH of the client takes it back. */
  protected?: boolean;
  /** The cheapest available one when absent. */
  location?: string;
  /** What to order instead where there is no room, in this order; at most 10. */
  fallback?: FallbackChoice[];
  /** Name or number of one of the provider's images; the controller's default when absent. */
  image?: string;
  /** Who may log in as root: names of keys in the provider's project, or public keys in OpenSSH's format. */
  sshKeys?: string[];
  /** Networks in CIDR notation that may connect to the server; anywhere when absent. */
  allowedCidrs?: string[];
  authenticationType: AuthenticationType;
  /** Generated when absent. */
  apiKey?: string;
  keycloakClientId?: string;
  keycloakClientSecret?: string;
  keycloakRealm?: string;
  keycloakAuthServerUrl?: string;
  agentWsPort?: number;
  gitRepositoryUrl?: string;
  gitUsername?: string;
  gitToken?: string;
  gitPassword?: string;
  gitPrivateKey?: string;
  cursorApiKey?: string;
  agentDefaultImage?: string;
  environment?: Record<string, string>;
}

export interface ProvisioningStateView {
  phase: Phase;
  /** Percent. */
  progress: number;
  message: string;
}

/** The answer to a provision request. What is not known yet is null. */
export interface ProvisionedClientView extends ClientView {
  /** Told once, here. Null with Keycloak. */
  apiKey: string | null;
  providerType: ProviderType;
  serverId: string | null;
  serverName: string | null;
  publicIp: string | null;
  privateIp: string | null;
  serverStatus: string | null;
  provisioning: ProvisioningStateView;
}

export interface ProvisioningErrorView {
  code: string;
  message: string;
  /** What to do about it. */
  action: string;
  phase: Phase;
  at: string;
  providerCode?: string;
  requestId?: string;
}

/** What was asked for, without secrets. */
export interface ProvisioningConfigurationView {
  images: { agentManager: string; postgres: string; proxy: string };
  agentWsPort: number;
  authenticationType: AuthenticationType;
  keycloakAuthServerUrl: string | null;
  keycloakRealm: string | null;
  keycloakClientId: string | null;
  gitRepositoryUrl: string | null;
  gitUsername: string | null;
  agentDefaultImage: string;
  /** Names only. */
  environmentVariables: string[];
  /** As they were given: names or public keys. */
  sshKeys: string[];
  /** Networks that may connect, as they were given; null for anywhere. */
  allowedCidrs: string[] | null;
  /** What was to be ordered where there was no room. `serverType` and `location` of `info` say what was taken. */
  fallback: ServerChoiceView[];
  /** Beside `fallback`: what was asked for before it; null without. */
  firstChoice: ServerChoiceView | null;
}

/** A part of the server's set-up; several may run at a time. Times are by the server's clock, ISO 8601. */
export interface ProvisioningStageView {
  /** boot, docker, proxy, postgres-image, agent-manager-image, postgres, agent-manager or upkeep. */
  name: string;
  startedAt: string;
  endedAt: string | null;
}

export interface ProvisioningInfoView extends ProvisioningStateView, HealthView {
  clientId: string;
  providerType: ProviderType;
  serverId: string | null;
  serverName: string | null;
  serverType: string;
  location: string;
  image: string;
  publicIp: string | null;
  privateIp: string | null;
  /** creating, running, stopped, deleting, unknown, or lost; null before there is a server. */
  serverStatus: string | null;
  /** How old the provider's word is. */
  serverStatusAgeSeconds: number | null;
  intent: 'present' | 'absent';
  attempt: number;
  /** When each phase of this attempt began, ISO 8601. */
  phaseTimes: Partial<Record<Phase, string>>;
  lastError: ProvisioningErrorView | null;
  /** What the server says of its own set-up; null before it has said anything. */
  stages: ProvisioningStageView[] | null;
  /** Codes, such as `credentials-unverified`. */
  warnings: string[];
  /** Name of the provider's firewall before the server; null while none was ordered with it. */
  firewall: string | null;
  endpoint: string | null;
  tls: TlsView | null;
  configuration: ProvisioningConfigurationView;
  /** Of the server and its address, as billed; null when not known. */
  monthlyCost: number | null;
  currency: string | null;
  createdAt: string;
  updatedAt: string;
}

/** One line of the log. In a stream, `seq` is the event's id and `type` its name. */
export interface ProvisioningEventView {
  seq: number;
  at: string;
  type: 'phase' | 'stage' | 'log' | 'note' | 'error' | 'health' | 'deleted';
  phase: Phase;
  attempt: number;
  message: string;
  data: Record<string, unknown> | null;
}

export interface ProvisioningPreviewProblemView {
  /** Null when it is about no single field. */
  field: string | null;
  /** Of the problem document that the request would be answered with. */
  code: string;
  message: string;
  /** What could be asked for instead. */
  alternatives?: string[];
}

/** TCP to one port of a server, from these networks in CIDR notation. */
export interface InboundRuleView {
  port: number;
  sources: string[];
}

/** What a provision request would make. What cannot be said is null; then `problems` says why. */
export interface ProvisioningPreviewView {
  name: string | null;
  providerType: ProviderType | null;
  serverType: string | null;
  location: string | null;
  image: string | null;
  /** Whether the boot lab has shown that a server from this image gets ready. */
  imageProven: boolean | null;
  /** Names or public keys, each once, without those that are a problem. */
  sshKeys: string[];
  /** What the server's firewall would let in, by TCP. */
  inbound: InboundRuleView[] | null;
  /** What would be ordered instead where there is no room, in this order. */
  fallback: PreviewChoiceView[];
  /** Of the server and its address, as billed. */
  monthlyCost: number | null;
  currency: string | null;
  /** Readable, secrets masked. */
  userData: string | null;
  /** As it would be sent. */
  userDataBytes: number | null;
  maxUserDataBytes: number | null;
  /** All that the request would be refused for, the first one first; empty when it would be accepted. */
  problems: ProvisioningPreviewProblemView[];
}

/** A server that was given up without deleting it. It may still run, and be billed. */
export interface AbandonedServerView {
  provisioningId: string;
  clientId: string;
  clientName: string;
  providerType: ProviderType;
  /** Null when it was never known. */
  serverId: string | null;
  /** Null when nothing was ordered. */
  serverName: string | null;
  publicIp: string | null;
  privateIp: string | null;
  serverType: string;
  location: string;
  attempt: number;
  /** In which it was given up. */
  phase: Phase;
  monthlyCost: number | null;
  currency: string | null;
  /** The provider's id of the controller's SSH key: it is in the server's project. */
  sentinelId: string | null;
  reason: string;
  /** Who gave it up. */
  abandonedBy: string;
  /** ISO 8601. */
  abandonedAt: string;
}
