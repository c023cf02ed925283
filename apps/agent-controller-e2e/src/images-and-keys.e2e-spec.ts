import type { Problem, ServerImageView } from '@agent-controller/contracts';
import { Installation, type Controller } from './support/controller-process';
import { info, provision, untilPhase } from './support/provision';
import { until } from './support/until';

// Made with ssh-keygen; the private keys are nowhere.
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM';
const LAPTOP = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM+VVuCyUMHonAvHCrFx2WFphuhyq5A7S+N6Nls5vwUp';

const CASES = [
  {
    ...{
      providerType: 'hetzner' as const,
      serverType: 'cx33',
      debian: 'debian-13',
      docker: 'docker-ce',
      own: '900001',
    },
    // As docs/boot-lab.md has it.
    proven: ['debian-13'],
    foreign: { image: 'rocky-9', alternatives: ['debian-13', 'docker-ce'] },
    full: {
      status: 403,
      body: { error: { code: 'resource_limit_exceeded', message: 'server limit exceeded', details: null } },
    },
  },
  {
    ...{ providerType: 'digital-ocean' as const, serverType: 's-1vcpu-2gb', debian: 'debian-13-x64', own: '195990001' },
    docker: 'docker-20-04',
    proven: ['debian-13-x64'],
    foreign: { image: 'fedora-42-x64', alternatives: ['debian-13-x64', 'docker-20-04'] },
    full: {
      status: 422,
      body: { id: 'unprocessable_entity', message: 'creating this/these droplet(s) will exceed your droplet limit' },
    },
  },
];

describe.each(CASES)('image and sshKeys at $providerType', (at) => {
  const { providerType, serverType, debian, docker, own, proven, foreign, full } = at;
  let installation: Installation;
  let controller: Controller;

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController();
  });
  afterAll(() => installation.dispose());

  const order = (changes: Record<string, unknown>) =>
    provision(controller.api, { providerType, serverType, ...changes });
  const refused = async (changes: Record<string, unknown>): Promise<Problem> =>
    (await order(changes)).body as unknown as Problem;
  const remove = (id: string) => controller.api.delete(`/api/clients/${id}/provisioning`, { prefer: 'wait=90' });
  const keyOf = async (publicKey: string) =>
    (await installation.emulator.sshKeys(providerType)).filter((key) => key.public_key.startsWith(publicKey));

  it('lists images, and says what is proven and where Docker is', async () => {
    const path = `/api/clients/provisioning/providers/${providerType}/images`;
    const { status, body } = await controller.api.get<ServerImageView[]>(path);
    expect(status).toBe(200);
    const x86 = body.find(({ id, architecture }) => id === debian && architecture === 'x86');
    expect(x86).toMatchObject({ osFamily: 'debian', osVersion: '13', hasDocker: false, isOwn: false });
    expect(body.filter((image) => image.proven).map(({ id }) => id)).toEqual(proven);
    expect(body.filter(({ hasDocker }) => hasDocker).map(({ id }) => id)).toContain(docker);
    expect(body.filter(({ isOwn }) => isOwn).map(({ id }) => id)).toEqual([own]);
    expect(new Set(body.map(({ osFamily }) => osFamily))).toEqual(new Set(['debian', 'ubuntu']));
  });

  it.each([
    ['with Docker', docker],
    ['of its own', own],
  ])('makes a server from an image %s, and says so', async (_what, image) => {
    const { body } = await order({ image });
    const ready = await untilPhase(controller.api, body.id, 'ready');
    expect([ready.phase, ready.image]).toEqual(['ready', image]);
    expect(await installation.emulator.servers()).toMatchObject([{ image }]);
    await remove(body.id);
  });

  it('refuses an image that is not there or not possible, and names others', async () => {
    const unknown = await refused({ image: 'windows' });
    expect(unknown).toMatchObject({ status: 422, code: 'image-unknown', errors: [{ field: 'image' }] });
    expect(unknown.detail).toMatch("no image 'windows'. Use one of: ");
    expect(unknown['alternatives']).toContain(debian);
    const other = await refused({ image: foreign.image });
    expect(other).toMatchObject({ status: 422, code: 'image-unsuitable' });
    expect(other['alternatives']).toEqual(expect.arrayContaining([...foreign.alternatives]));
    expect(await installation.emulator.serverNames()).toEqual([]);
  });

  it('lets keys of the project and given ones in, and leaves them behind', async () => {
    const laptop = await installation.emulator.addSshKey(providerType, 'laptop', LAPTOP);
    const sshKeys = ['laptop', `${KEY} me@home`];
    const [first, second] = await Promise.all([order({ sshKeys }), order({ sshKeys })]);
    await until(
      () => installation.emulator.servers(),
      (servers) => servers.length === 2,
    );
    const made = await keyOf(KEY);
    expect(made).toHaveLength(1);
    expect(made[0]?.name).toMatch(/^agent-controller-key-[0-9a-f]{16}-[0-9a-f-]{36}$/);
    if (providerType === 'hetzner') expect(made[0]?.labels).toMatchObject({ 'managed-by': 'agent-controller' });
    for (const { sshKeyIds } of await installation.emulator.servers()) {
      expect(sshKeyIds).toHaveLength(3);
      expect(sshKeyIds.slice(1)).toEqual([laptop, made[0]?.id]);
    }
    expect((await info(controller.api, first.body.id)).configuration.sshKeys).toEqual(sshKeys);
    await Promise.all([remove(first.body.id), remove(second.body.id)]);
    expect([...(await keyOf(LAPTOP)), ...(await keyOf(KEY))]).toHaveLength(2);
  });

  it('refuses names that the project does not have, and what is no public key, without showing it', async () => {
    const { status, code, detail } = await refused({ sshKeys: ['nobody'] });
    expect([status, code]).toEqual([422, 'ssh-key-unknown']);
    expect(detail).toMatch("no SSH key named 'nobody'");
    const secret = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAE';
    const answer = await refused({ sshKeys: [KEY, secret] });
    expect(answer).toMatchObject({ status: 400, code: 'validation-failed' });
    expect(answer.errors?.[0]?.message).toMatch(/^has a wrong entry 2: it is a private key/);
    expect(JSON.stringify(answer) + (await controller.wholeLog())).not.toContain('b3BlbnNz');
  });

  it('keeps image and keys for the server of the next attempt', async () => {
    await installation.emulator.addFault({ method: 'POST', path: '^/(servers|droplets)$', times: 1, ...full });
    const { body } = await order({ image: docker, sshKeys: [KEY] });
    expect((await untilPhase(controller.api, body.id, 'failed')).lastError?.code).toBe('provider-quota');
    await controller.api.post(`/api/clients/${body.id}/provisioning/retry`);
    const ready = await untilPhase(controller.api, body.id, 'ready');
    expect(ready).toMatchObject({ phase: 'ready', attempt: 2, image: docker, configuration: { sshKeys: [KEY] } });
    const [key] = await keyOf(KEY);
    const [server] = await installation.emulator.servers();
    expect(server).toMatchObject({ image: docker, sshKeyIds: [expect.any(Number), key?.id] });
    await remove(body.id);
  });
});
