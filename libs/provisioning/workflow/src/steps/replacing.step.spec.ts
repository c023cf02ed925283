import type { ClientRepository } from '@agent-controller/clients';
import type { ProvisioningRepository } from '../provisioning.repository';
import type { ProvisioningSecrets } from '../provisioning.types';
import { SentinelService } from '../sentinel.service';
import { ServerMaterialService } from '../server-material.service';
import { FakeCloudProvider } from '../testing/fake-cloud-provider';
import { FakeAgentHealth } from '../testing/fake-agent-health';
import { clientWith, contextWith, NOW, ownerOf, secondsAgo, SENTINEL } from '../testing/step-context.fixture';
import { ReplacingStep } from './replacing.step';
import { ServerRemoval } from './server-removal';

const given = { git: { token: 'git-token' }, cursorApiKey: 'cursor', environment: { A: 'b' } };
const old: ProvisioningSecrets = {
  ...given,
  server: { databasePassword: 'old', jwtSecret: 'old', encryptionKey: 'old' },
  tlsPrivateKeyPem: 'old',
};

describe('ReplacingStep', () => {
  let provider: FakeCloudProvider;
  let health: FakeAgentHealth;
  let step: ReplacingStep;
  let secrets: ProvisioningSecrets | null;

  beforeEach(() => {
    provider = new FakeCloudProvider();
    provider.keys.add(SENTINEL);
    health = new FakeAgentHealth();
    secrets = old;
    const provisionings = {
      openSecrets: () => secrets,
      // Sealing is a matter of its own; here the text shows what is sealed, and for whom.
      sealSecrets: (id: string, sealed: ProvisioningSecrets) => JSON.stringify({ id, sealed }),
    } as unknown as ProvisioningRepository;
    const clients = {
      openCredentials: () => ({ type: 'api_key', apiKey: 'key' }),
    } as unknown as ClientRepository;
    const removal = new ServerRemoval(new SentinelService());
    step = new ReplacingStep(health, clients, removal, new ServerMaterialService(provisionings));
  });

  const made = {
    phase: 'replacing' as const,
    serverId: '7',
    sentinelId: SENTINEL,
    createRequestedAt: secondsAgo(3_600),
    publicIp: '192.0.2.7',
    warnings: ['old'],
    pausedMs: 5_000,
  };
  const missing = { missingSince: secondsAgo(2) };
  const run = (changes: Parameters<typeof contextWith>[0] = {}, endpoint: string | null = 'https://192.0.2.7:3000') =>
    step.run(contextWith({ ...made, ...changes }, { provider, client: clientWith({ endpoint }) }));
  const isSick = () => {
    health.answer = { state: 'not-ready', reason: 'silent' };
  };

  it('takes an agent that works by now as it is', async () => {
    provider.add('7', ownerOf(1));
    expect(await run()).toMatchObject({ kind: 'advance', phase: 'ready', patch: { sealedSecrets: null } });
    expect(provider.calls).toEqual([]);
  });

  it('saves that it gives a sick agent up before it touches the server', async () => {
    isSick();
    provider.add('7', ownerOf(1), { status: 'running' });
    expect(await run()).toMatchObject({ kind: 'wait', delayMs: 0, clientPatch: { endpoint: null } });
    expect(provider.calls).toEqual([]);
  });

  it('removes the server of one that it gave up', async () => {
    provider.add('7', ownerOf(1), { status: 'running' });
    expect(await run({}, null)).toMatchObject({ kind: 'wait', patch: { destroyRequestedAt: NOW } });
    expect(await run({ destroyRequestedAt: NOW })).toMatchObject({ kind: 'wait' });
    expect(await run({ destroyRequestedAt: NOW })).toMatchObject({ kind: 'advance', phase: 'creating-server' });
    expect(provider.calls).not.toContain('create');
  });

  it('does not take back a server that it began to remove', async () => {
    provider.add('7', ownerOf(1), { status: 'running' });
    expect(await run({ destroyRequestedAt: secondsAgo(5) })).toMatchObject({ kind: 'wait' });
    expect(health.targets).toEqual([]);
  });

  it('begins another attempt from nothing, with new secrets of its own', async () => {
    const result = await run(missing, null);
    if (result.kind !== 'advance') throw new Error(`unexpected ${result.kind}`);
    const { patch, clientPatch } = result;
    expect(patch).toMatchObject({
      attempt: 2,
      attemptSince: NOW,
      pausedMs: 0,
      phaseTimes: {},
      serverId: null,
      publicIp: null,
      createRequestedAt: null,
      destroyRequestedAt: null,
      missingSince: null,
      warnings: [],
    });
    const { id, sealed } = JSON.parse(patch?.sealedSecrets ?? '') as { id: string; sealed: ProvisioningSecrets };
    expect(id).toBe(ownerOf(1).provisioningId);
    expect(sealed).toMatchObject(given);
    const fresh = [...Object.values(sealed.server), sealed.tlsPrivateKeyPem];
    expect(fresh).not.toContain('old');
    expect(new Set(fresh).size).toBe(fresh.length);
    expect(clientPatch).toMatchObject({
      endpoint: null,
      agentConfig: null,
      tlsCertificatePem: expect.stringContaining('BEGIN CERTIFICATE'),
      tlsServerName: 'client-1.agent.internal',
    });
    expect(clientPatch?.tlsSpkiSha256).not.toBe('PIN');
    // What callers know stays.
    expect(Object.keys(clientPatch ?? {})).not.toEqual(expect.arrayContaining(['sealedCredentials']));
  });

  it('goes straight on where the server never came to be', async () => {
    const result = await run({ serverId: null, createRequestedAt: null }, null);
    expect(result).toMatchObject({ kind: 'advance', phase: 'creating-server', patch: { attempt: 2 } });
    expect(health.targets).toEqual([]);
  });

  it('does not order beside a server whose end is not proven', async () => {
    provider.keys.clear();
    expect(await run(missing, null)).toMatchObject({ kind: 'fail', failure: { code: 'wrong-project' } });
  });

  it('cannot replace without the secrets that the caller gave', async () => {
    secrets = null;
    await expect(run(missing, null)).rejects.toThrow('wiped');
  });

  it('begins again with what was asked for first, whatever was taken before', async () => {
    const price = { monthlyCost: 4, currency: 'EUR' };
    const configuration = {
      firstChoice: { serverType: 'cx23', location: 'fsn1', ...price },
      fallback: [{ serverType: 'cx33', location: 'hel1', monthlyCost: 8, currency: 'EUR' }],
    };
    const taken = { serverType: 'cx33', location: 'hel1', monthlyCost: 8, configuration: configuration as never };
    const result = await run({ serverId: null, createRequestedAt: null, ...taken }, null);
    expect(result).toMatchObject({ patch: { attempt: 2, serverType: 'cx23', location: 'fsn1', ...price } });
  });

  it('orders the same again where there was no choice', async () => {
    const only = { serverType: 'cpx22', location: 'nbg1', monthlyCost: 6, currency: 'EUR' };
    const result = await run({ serverId: null, createRequestedAt: null, ...only, configuration: {} as never }, null);
    expect(result).toMatchObject({ patch: { attempt: 2, ...only } });
  });
});
