import { Client } from '@agent-controller/clients';
import { Instance } from '../instance.entity';
import { ProvisioningReference } from '../provisioning-reference.entity';
import type { StepContext } from '../steps/step';
import { FakeCloudProvider } from './fake-cloud-provider';

export const NOW = new Date('2026-01-02T00:00:00Z');

/** A time before NOW. */
export function secondsAgo(seconds: number): Date {
  return new Date(NOW.getTime() - seconds * 1000);
}

export const instance = Object.assign(new Instance(), {
  instanceId: 'instance-1',
  projectPublicKey: 'ssh-ed25519 AAAA',
});
/** What the fake provider answers when it is asked to keep our key. */
export const SENTINEL = 'key-of-agent-controller-instance-1';

/** The owner tag of the fixture's provisioning. */
export const ownerOf = (attempt: number) => ({
  instanceId: 'instance-1',
  provisioningId: '0123abcd-ef01-4000-8000-000000000000',
  attempt,
});

const EMPTY_ROW = {
  serverId: null,
  serverName: null,
  serverCreatedAt: null,
  publicIp: null,
  privateIp: null,
  serverStatus: null,
  observedAt: null,
  missingSince: null,
  sentinelId: null,
  createRequestedAt: null,
  destroyRequestedAt: null,
  lastError: null,
  lastSeen: null,
  pausedSince: null,
  pausedMs: 0,
  pausedMsBeforePhase: 0,
  report: null,
  callbackTokenHash: null,
  bootstrapTokenHash: null,
  bootstrapKey: null,
  bootstrapSentAt: null,
  consecutiveErrors: 0,
  attempt: 1,
  warnings: [],
};

export function referenceWith(changes: Partial<ProvisioningReference> = {}): ProvisioningReference {
  return Object.assign(new ProvisioningReference(), EMPTY_ROW, {
    id: ownerOf(1).provisioningId,
    clientId: 'client-1',
    providerType: 'hetzner',
    serverType: 'cx23',
    location: 'fsn1',
    image: 'debian-13',
    intent: 'present',
    phase: 'creating-server',
    phaseSince: secondsAgo(10),
    attemptSince: secondsAgo(10),
    phaseTimes: {},
    providerMetadata: {},
    configuration: { sshKeys: [] },
    sealedSecrets: 'sealed',
    ...changes,
  });
}

export function clientWith(changes: Partial<Client> = {}): Client {
  return Object.assign(new Client(), {
    id: 'client-1',
    name: 'team-agent',
    endpoint: null,
    tlsServerName: 'client-1.agent.internal',
    tlsSpkiSha256: 'PIN',
    ...changes,
  });
}

/** What a step sees, with a provider that remembers what it was asked. */
export function contextWith(
  changes: Partial<ProvisioningReference> = {},
  given: Partial<Omit<StepContext, 'provider' | 'reference'>> & { provider?: FakeCloudProvider } = {},
) {
  const provider = given.provider ?? new FakeCloudProvider();
  return {
    reference: referenceWith(changes),
    client: clientWith(),
    instance,
    now: NOW,
    visibilityGraceMs: 60_000,
    signal: new AbortController().signal,
    announceCreate: async (sentinelId: string) => {
      provider.calls.push(`announce ${sentinelId}`);
      return () => true;
    },
    ...given,
    provider,
  } satisfies StepContext;
}
