import 'reflect-metadata';
import { Client, NO_HEALTH } from '@agent-controller/clients';
import {
  PHASE_DISPLAY,
  PHASES,
  ProvisioningEvent,
  ProvisioningReference,
} from '@agent-controller/provisioning-workflow';
import { toEventView, toInfo, toProvisionedClient, toState } from './provisioning.mapper';

const CREATED = new Date('2026-01-02T03:04:05.678Z');
const SECRET = 'Sup3rS3cret';

function client(changes: Partial<Client> = {}): Client {
  return Object.assign(new Client(), {
    id: 'client-1',
    owner: 'someone',
    name: 'team-agent',
    description: null,
    endpoint: null,
    agentWsPort: 8080,
    authenticationType: 'api_key',
    isAutoProvisioned: true,
    isProtected: true,
    sealedCredentials: SECRET,
    tlsCertificatePem: 'PEM',
    tlsSpkiSha256: 'PIN',
    tlsServerName: 'client-1.agent.internal',
    agentConfig: null,
    ...NO_HEALTH,
    createdAt: CREATED,
    updatedAt: CREATED,
    ...changes,
  } satisfies Partial<Client>);
}

function reference(changes: Partial<ProvisioningReference> = {}): ProvisioningReference {
  const unknown = {
    serverId: null,
    serverName: null,
    publicIp: null,
    privateIp: null,
    serverStatus: null,
    observedAt: null,
    lastError: null,
    lastSeen: null,
    monthlyCost: null,
    currency: null,
    report: null,
  };
  return Object.assign(new ProvisioningReference(), unknown, {
    id: 'reference-1',
    clientId: 'client-1',
    providerType: 'hetzner',
    serverType: 'cx23',
    location: 'fsn1',
    image: 'debian-13',
    intent: 'present',
    phase: 'booting',
    phaseTimes: { 'creating-server': CREATED.toISOString() },
    attempt: 2,
    warnings: [],
    configuration: {
      environmentVariables: ['A'],
      sshKeys: [{ name: 'laptop', id: '5' }, { publicKey: 'ssh-ed25519 AAAA me' }],
    },
    sealedSecrets: SECRET,
    leaseOwner: SECRET,
    createdAt: CREATED,
    updatedAt: CREATED,
    ...changes,
  });
}

const failure = { code: 'timed-out', message: 'Too late.', action: 'Retry.', phase: 'booting', at: 'then' } as const;

describe('toState', () => {
  it.each(PHASES)('shows the phase %s', (phase) => {
    expect(toState(reference({ phase }))).toEqual({ phase, ...PHASE_DISPLAY[phase] });
  });

  it('adds what was last seen while waiting', () => {
    const { message } = toState(reference({ phase: 'installing', lastSeen: 'ECONNREFUSED' }));
    expect(message).toBe(`${PHASE_DISPLAY.installing.message}. ECONNREFUSED`);
  });

  it('is as far as the server says, and never less than its phase', () => {
    const at = CREATED.toISOString();
    const stages = ['docker', 'postgres', 'proxy'].map((name) => ({ name, startedAt: at, endedAt: null }));
    const report = {
      version: 1,
      seq: 1,
      state: 'running',
      stage: 'proxy',
      since: at,
      startedAt: at,
      stages,
      error: null,
    } as const;
    expect(toState(reference({ phase: 'installing', report: { ...report, stages } })).progress).toBe(75);
    expect(toState(reference({ phase: 'starting', report: { ...report, stages } })).progress).toBe(80);
    expect(toState(reference({ phase: 'ready', report: { ...report, stages } })).progress).toBe(100);
    expect(toState(reference({ phase: 'failed', report: { ...report, stages } })).progress).toBe(0);
  });

  it('says why it failed, not what was last seen', () => {
    const failed = { phase: 'failed', lastError: failure, lastSeen: 'something' } as const;
    expect(toState(reference(failed)).message).toBe('Provisioning failed: Too late.');
    expect(toState(reference({ ...failed, intent: 'absent' })).message).toBe('Deletion failed: Too late.');
  });
});

describe('toProvisionedClient', () => {
  it('has every field, null where nothing is known yet', () => {
    expect(toProvisionedClient({ client: client(), reference: reference() }, 'the-key')).toEqual({
      id: 'client-1',
      owner: 'someone',
      name: 'team-agent',
      description: null,
      endpoint: null,
      agentWsPort: 8080,
      authenticationType: 'api_key',
      isAutoProvisioned: true,
      protected: true,
      tls: { certificatePem: 'PEM', spkiSha256: 'PIN', serverName: 'client-1.agent.internal' },
      config: null,
      health: null,
      healthSince: null,
      healthCheckedAt: null,
      createdAt: CREATED.toISOString(),
      updatedAt: CREATED.toISOString(),
      apiKey: 'the-key',
      providerType: 'hetzner',
      serverId: null,
      serverName: null,
      publicIp: null,
      privateIp: null,
      serverStatus: null,
      provisioning: { phase: 'booting', ...PHASE_DISPLAY.booting },
    });
  });

  it('shows the server once it is known, and no key unless it is given', () => {
    const server = { serverId: '42', serverName: 'team-agent-1', publicIp: '192.0.2.1', privateIp: '10.0.0.2' };
    const view = toProvisionedClient({ client: client(), reference: reference(server) }, null);
    expect(view).toMatchObject({ ...server, apiKey: null });
  });

  it('never shows what is sealed or internal', () => {
    const both = { client: client(), reference: reference() };
    expect(JSON.stringify([toProvisionedClient(both, null), toInfo(both, CREATED)])).not.toContain(SECRET);
  });
});

describe('toInfo', () => {
  const age = (observedAt: Date | null, now: string) =>
    toInfo({ client: client(), reference: reference({ observedAt }) }, new Date(now)).serverStatusAgeSeconds;

  it('has every field of the contract', () => {
    const info = toInfo(
      {
        client: client({ endpoint: 'https://192.0.2.1:3000', health: 'unreachable', healthSince: CREATED }),
        reference: reference({
          monthlyCost: 4.15,
          currency: 'EUR',
          lastError: failure,
          warnings: ['w'],
          firewallName: 'wall',
        }),
      },
      CREATED,
    );
    expect(info).toEqual({
      clientId: 'client-1',
      phase: 'booting',
      ...PHASE_DISPLAY.booting,
      providerType: 'hetzner',
      serverId: null,
      serverName: null,
      serverType: 'cx23',
      location: 'fsn1',
      image: 'debian-13',
      publicIp: null,
      privateIp: null,
      serverStatus: null,
      serverStatusAgeSeconds: null,
      intent: 'present',
      attempt: 2,
      phaseTimes: { 'creating-server': CREATED.toISOString() },
      lastError: failure,
      stages: null,
      warnings: ['w'],
      firewall: 'wall',
      endpoint: 'https://192.0.2.1:3000',
      tls: { certificatePem: 'PEM', spkiSha256: 'PIN', serverName: 'client-1.agent.internal' },
      health: 'unreachable',
      healthSince: CREATED.toISOString(),
      healthCheckedAt: null,
      configuration: {
        allowedCidrs: null,
        environmentVariables: ['A'],
        sshKeys: ['laptop', 'ssh-ed25519 AAAA me'],
        fallback: [],
        firstChoice: null,
      },
      monthlyCost: 4.15,
      currency: 'EUR',
      createdAt: CREATED.toISOString(),
      updatedAt: CREATED.toISOString(),
    });
  });

  it('tells how old the word of the provider is, never less than nothing', () => {
    expect(age(null, '2026-01-02T03:05:00.000Z')).toBeNull();
    expect(age(CREATED, '2026-01-02T03:04:35.678Z')).toBe(30);
    expect(age(CREATED, '2026-01-02T03:04:00.000Z')).toBe(0);
  });
});

describe('toEventView', () => {
  it('leaves out what is internal', () => {
    const event = Object.assign(new ProvisioningEvent(), {
      provisioningId: SECRET,
      clientId: SECRET,
      seq: 7,
      at: CREATED,
      type: 'note',
      phase: 'booting',
      attempt: 1,
      message: 'It runs',
      data: { a: 1 },
      expiresAt: null,
    });
    expect(toEventView(event)).toEqual({
      seq: 7,
      at: CREATED.toISOString(),
      type: 'note',
      phase: 'booting',
      attempt: 1,
      message: 'It runs',
      data: { a: 1 },
    });
  });
});
