import type { Problem, ProvisioningPreviewView } from '@agent-controller/contracts';
import { Installation, type Controller } from './support/controller-process';
import { provision, provisionBody } from './support/provision';

const PREVIEW = '/api/clients/provisioning/preview';

describe('preview', () => {
  let installation: Installation;
  let controller: Controller;

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController();
  });
  afterAll(() => installation.dispose());

  it('shows what would be made, without any secret, and makes nothing', async () => {
    const secrets = {
      apiKey: 'given-api-key',
      gitToken: 'given-git-token',
      gitPrivateKey: 'given-private-key',
      cursorApiKey: 'given-cursor-key',
      environment: { FURTHER: 'given-further-value' },
    };
    const { status, body } = await controller.api.post<ProvisioningPreviewView>(
      PREVIEW,
      provisionBody({ serverType: 'cx23', name: 'shown', gitUsername: 'robot', ...secrets }),
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({
      name: 'shown',
      providerType: 'hetzner',
      serverType: 'cx23',
      image: 'debian-13',
      monthlyCost: 4.15,
      currency: 'EUR',
      maxUserDataBytes: 32_768,
    });
    expect(['nbg1', 'hel1']).toContain(body.location);
    expect(body.userDataBytes).toBeGreaterThan(5_000);
    expect(body.userData).toMatch(/^#cloud-config\n/);
    expect(body.userData).toContain('robot');
    expect(body.userData).toContain('[secret]');
    expect(body.userData).not.toContain('given-');
    expect(body.userData).not.toContain('BEGIN PRIVATE KEY');
    expect(await installation.query('SELECT 1 FROM clients')).toEqual([]);
    expect(await installation.emulator.servers()).toEqual([]);
  });

  it('says whatever the request would be refused with', async () => {
    const refusal = async (changes: Record<string, unknown>) =>
      (await controller.api.post<Problem>(PREVIEW, provisionBody(changes))).body.code;
    expect(await refusal({ agentWsPort: 22 })).toBe('validation-failed');
    expect(await refusal({ providerType: 'nobody' })).toBe('provider-not-found');
    expect(await refusal({ serverType: 'cx11' })).toBe('server-type-unknown');
    const { body } = await provision(controller.api, { name: 'taken' });
    expect(await refusal({ name: 'taken' })).toBe('name-taken');
    await controller.api.delete(`/api/clients/${body.id}/provisioning`, { prefer: 'wait=60' });
  });
});
