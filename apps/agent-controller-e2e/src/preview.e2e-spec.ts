import type { Problem, ProvisioningPreviewView } from '@agent-controller/contracts';
import { randomBytes } from 'node:crypto';
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
      imageProven: true,
      sshKeys: [],
      problems: [],
    });
    expect(['nbg1', 'hel1']).toContain(body.location);
    expect(body.userDataBytes).toBeGreaterThan(5_000);
    expect(body.userData).toMatch(/^#cloud-config\n/);
    expect(body.userData).toContain('robot');
    expect(body.userData).toContain('[secret]');
    expect(body.userData).not.toContain('given-');
    expect(body.userData).not.toContain('BEGIN PRIVATE KEY');
    expect(await installation.query('SELECT 1 FROM clients')).toEqual([]);
    expect(await installation.emulator.serverNames()).toEqual([]);
  });

  const problems = async (changes: Record<string, unknown>) =>
    (await controller.api.post<ProvisioningPreviewView>(PREVIEW, provisionBody(changes))).body.problems;

  it('refuses only what is no request at all, with every field', async () => {
    const wrong = provisionBody({ agentWsPort: 22, image: '', sshKeys: 'laptop' });
    const { status, body } = await controller.api.post<Problem>(PREVIEW, wrong);
    expect([status, body.code]).toEqual([400, 'validation-failed']);
    expect(body.errors?.map(({ field }) => field).sort()).toEqual(['agentWsPort', 'image', 'sshKeys']);
  });

  it('has no problems with what is accepted, and otherwise first of all that which is refused', async () => {
    const { body: taken } = await provision(controller.api, { name: 'taken' });
    const tries: Record<string, unknown>[] = [
      { name: 'free', image: 'docker-ce', location: 'hel1' },
      { providerType: 'digital-ocean', serverType: 's-1vcpu-2gb', image: '195990001' },
      { providerType: 'nobody', name: 'taken' },
      { serverType: 'cx11', location: 'mars', image: 'windows', name: 'taken' },
      { serverType: 'cx53' },
      { serverType: 'cx23', location: 'fsn1', sshKeys: ['nobody'] },
      { serverType: 'cx23', image: '900001' },
      { name: 'taken' },
      { environment: { LONG: randomBytes(12_000).toString('base64'), MORE: randomBytes(12_000).toString('base64') } },
    ];
    for (const changes of tries) {
      const [problem] = await problems(changes);
      const { status, body } = await provision(controller.api, changes);
      expect([Object.keys(changes), problem?.code, withoutSizes(problem?.message)]).toEqual([
        Object.keys(changes),
        ...refusal(status, body),
      ]);
      if (status === 202) await remove(body.id);
    }
    await remove(taken.id);
  });

  it('tells all problems at once, with a way out where there is one', async () => {
    const found = await problems({ serverType: 'cx11', location: 'mars', image: 'windows', sshKeys: ['a', 'b'] });
    expect(found.map(({ field, code }) => `${field} ${code}`)).toEqual([
      'serverType server-type-unknown',
      'location location-unknown',
      'image image-unknown',
      'sshKeys ssh-key-unknown',
      'sshKeys ssh-key-unknown',
    ]);
    expect(found[2]?.alternatives).toContain('debian-13');
  });

  /** Keys and secrets are made anew each time, and differ in length by some bytes. */
  const withoutSizes = (text?: string) => text?.replace(/\d{5}/g, 'n');

  const refusal = (status: number, body: unknown): [string | undefined, string | undefined] => {
    if (status === 202) return [undefined, undefined];
    const { code, detail } = body as Problem;
    return [code, withoutSizes(detail)];
  };
  const remove = (id: string) => controller.api.delete(`/api/clients/${id}/provisioning`, { prefer: 'wait=60' });
});
