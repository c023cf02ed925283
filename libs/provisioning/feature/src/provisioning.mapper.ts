import { toClientView, toHealthView, toTlsView } from '@agent-controller/clients';
import type {
  ProvisionedClientView,
  ProvisioningConfigurationView,
  ProvisioningEventView,
  ProvisioningInfoView,
  ProvisioningStateView,
} from '@agent-controller/contracts';
import {
  PHASE_DISPLAY,
  stageDisplay,
  type NewProvisioning,
  type ProvisioningEvent,
  type ProvisioningReference,
  type ProvisioningView,
  type StoredSshKey,
} from '@agent-controller/provisioning-workflow';

/** What a person reads of the state: the phase, and what was last seen or went wrong. */
export function toState(reference: ProvisioningView['reference']): ProvisioningStateView {
  const { phase, lastSeen, lastError, intent } = reference;
  const { message } = PHASE_DISPLAY[phase];
  const progress = progressOf(reference);
  if (phase === 'failed') {
    const what = intent === 'absent' ? 'Deletion failed' : message;
    return { phase, progress, message: lastError ? `${what}: ${lastError.message}` : what };
  }
  return { phase, progress, message: lastSeen ? `${message}. ${lastSeen}` : message };
}

/** What the server says of itself counts while it is being set up. */
function progressOf({ phase, report }: ProvisioningView['reference']): number {
  const { progress } = PHASE_DISPLAY[phase];
  if (!report || (phase !== 'installing' && phase !== 'starting')) return progress;
  return Math.max(progress, ...report.stages.map(({ name }) => stageDisplay(name).progress));
}

export function toProvisionedClient(
  { client, reference }: NewProvisioning,
  apiKey: string | null,
): ProvisionedClientView {
  return {
    ...toClientView(client),
    apiKey,
    providerType: reference.providerType,
    serverId: reference.serverId,
    serverName: reference.serverName,
    publicIp: reference.publicIp,
    privateIp: reference.privateIp,
    serverStatus: reference.serverStatus,
    provisioning: toState(reference),
  };
}

export function toInfo({ client, reference }: ProvisioningView, now: Date): ProvisioningInfoView {
  const { observedAt } = reference;
  return {
    clientId: client.id,
    ...toState(reference),
    providerType: reference.providerType,
    serverId: reference.serverId,
    serverName: reference.serverName,
    serverType: reference.serverType,
    location: reference.location,
    image: reference.image,
    publicIp: reference.publicIp,
    privateIp: reference.privateIp,
    serverStatus: reference.serverStatus,
    serverStatusAgeSeconds: observedAt ? Math.max(0, Math.round((now.getTime() - observedAt.getTime()) / 1000)) : null,
    intent: reference.intent,
    attempt: reference.attempt,
    phaseTimes: reference.phaseTimes,
    lastError: reference.lastError,
    stages: reference.report?.stages ?? null,
    warnings: reference.warnings,
    firewall: reference.firewallName,
    ...ofClient(client),
    configuration: toConfiguration(reference.configuration),
    monthlyCost: reference.monthlyCost,
    currency: reference.currency,
    createdAt: reference.createdAt.toISOString(),
    updatedAt: reference.updatedAt.toISOString(),
  };
}

export function toEventView({
  seq,
  at,
  type,
  phase,
  attempt,
  message,
  data,
}: ProvisioningEvent): ProvisioningEventView {
  return { seq, at: at.toISOString(), type, phase, attempt, message, data };
}

/** As it was asked for. */
export function toKeyText(key: StoredSshKey): string {
  return 'publicKey' in key ? key.publicKey : key.name;
}

/** Rows from before there were keys or alternatives have none. */
function toConfiguration(configuration: ProvisioningReference['configuration']): ProvisioningConfigurationView {
  const { sshKeys = [], allowedCidrs = null, fallback = [], firstChoice = null } = configuration;
  return { ...configuration, sshKeys: sshKeys.map(toKeyText), allowedCidrs, fallback, firstChoice };
}

function ofClient(client: ProvisioningView['client']) {
  return { endpoint: client.endpoint, tls: toTlsView(client), ...toHealthView(client) };
}
