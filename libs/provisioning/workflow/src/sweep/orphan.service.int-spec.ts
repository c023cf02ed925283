import { CloudError } from '@agent-controller/cloud-port';
import { createServerTls } from '@agent-controller/provisioning-bootstrap';
import { randomUUID } from 'node:crypto';
import { SweepWorld } from '../testing/sweep-world';

describe('orphans, as callers ask for them', () => {
  let world: SweepWorld;
  const caller = { subject: 'someone', role: 'operator' } as const;
  const at = (serverId: string) => ({ providerType: 'hetzner', serverId });

  beforeEach(async () => {
    world = await SweepWorld.create();
  });
  afterEach(() => world.dispose());

  /** An orphan that a sweep has found. */
  async function orphan(id = '1', changes: Parameters<SweepWorld['server']>[2] = {}): Promise<string> {
    const { owner } = world.server(id, randomUUID(), changes);
    await world.run();
    return owner?.provisioningId ?? '';
  }

  const destroyed = () => world.provider.calls.filter((call) => call.startsWith('destroy'));

  describe('destroy', () => {
    it('is going, then gone, and gone again', async () => {
      await orphan();
      expect(await world.orphans.destroy(at('1'))).toBe('deleting');
      expect(await world.known()).toMatchObject({ 1: { status: 'deleting' } });
      world.provider.servers.delete('1');
      expect(await world.orphans.destroy(at('1'))).toBe('gone');
      expect(await world.known()).toEqual({});
      expect(await world.orphans.destroy(at('1'))).toBe('gone');
    });

    it("never touches a row's server, nor one that no sweep has found, nor another's", async () => {
      const row = await world.row('2');
      world.server('2', row.id);
      await orphan();
      world.server('3');
      world.server('4', 'p', { owner: { instanceId: 'another', provisioningId: 'p', attempt: 1 } });
      world.server('5', 'p', { owner: null });
      const refused = (id: string) => expect(world.orphans.destroy(at(id))).rejects;
      await refused('2').toMatchObject({ code: 'server-has-row', options: { extensions: { clientId: row.clientId } } });
      for (const id of ['3', '4', '5', 'with space']) await refused(id).toMatchObject({ code: 'orphan-not-found' });
      await expect(world.orphans.destroy({ providerType: 'aws', serverId: '1' })).rejects.toMatchObject({
        code: 'provider-not-found',
      });
      expect(destroyed()).toEqual([]);
    });

    it('refuses when a row took the server since the sweep', async () => {
      const id = await orphan();
      await world.row('1', { id });
      await expect(world.orphans.destroy(at('1'))).rejects.toMatchObject({ code: 'server-has-row' });
      expect(destroyed()).toEqual([]);
    });

    it('takes a second server of a row that the sweep left', async () => {
      const row = await world.row('1');
      world.server('2', row.id);
      await world.run();
      expect(await world.orphans.destroy(at('2'))).toBe('deleting');
    });

    it('believes no "not found" from another project', async () => {
      await world.row('9');
      await orphan();
      world.provider.servers.delete('1');
      world.provider.keys.clear();
      await expect(world.orphans.destroy(at('1'))).rejects.toMatchObject({ code: 'provider-refused' });
      expect(Object.keys(await world.known())).toEqual(['1']);
    });

    it('passes on that the provider cannot be asked', async () => {
      await orphan();
      world.provider.failNext('destroy', new CloudError('conflict', 'locked'));
      await expect(world.orphans.destroy(at('1'))).rejects.toMatchObject({ code: 'provider-unavailable' });
      expect(await world.known()).toMatchObject({ 1: { status: 'running' } });
    });
  });

  describe('adopt', () => {
    it('makes a row that says what is missing, and that can be deleted', async () => {
      const id = await orphan('1', { attempt: 3, name: 'team-agent-01234567-3' });
      const { client, reference } = await world.adoption.adopt(at('1'), {}, caller);
      expect(client).toMatchObject({ name: 'team-agent-01234567-3', isAutoProvisioned: true, sealedCredentials: null });
      expect(reference).toMatchObject({
        id,
        serverId: '1',
        attempt: 3,
        phase: 'failed',
        intent: 'present',
        publicIp: '203.0.113.1',
        serverStatus: 'running',
        sentinelId: world.sentinelId,
        sealedSecrets: null,
        lastError: { code: 'adopted-without-credentials' },
      });
      await world.run();
      expect(await world.known()).toEqual({});
      expect(await world.notes(reference)).toHaveLength(3);
    });

    it('goes on with the numbers of a log that outlived the former row', async () => {
      const former = await world.row('1');
      const note = { type: 'note' as const, message: 'of the former row' };
      await world.database.dataSource.transaction((manager) =>
        world.database.events.append(manager, former, [note, note], world.now),
      );
      await world.database.clients.delete(former.clientId);
      world.server('1', former.id);
      await world.run();
      const { reference } = await world.adoption.adopt(at('1'), {}, caller);
      expect(reference).toMatchObject({ id: former.id, lastEventSeq: 5 });
    });

    it('starts with credentials by a pin, or by a certificate', async () => {
      await orphan('1');
      const pin = 'A'.repeat(43) + '=';
      const first = await world.adoption.adopt(at('1'), { name: 'first', apiKey: 'its-key', spkiSha256: pin }, caller);
      expect(first.reference).toMatchObject({ phase: 'starting', lastError: null });
      expect(first.client).toMatchObject({ endpoint: 'https://203.0.113.1:3000', tlsSpkiSha256: pin });
      expect(world.database.clients.openCredentials(first.client)).toEqual({ type: 'api_key', apiKey: 'its-key' });
      expect((await world.database.jobs()).map(({ key }) => key)).toContain(first.reference.id);

      const tls = await createServerTls(randomUUID(), new Date());
      await orphan('2', { status: 'creating', publicIpv4: null });
      const { certificatePem } = tls;
      const second = await world.adoption.adopt(at('2'), { apiKey: 'its-key', certificatePem }, caller);
      expect(second.reference.phase).toBe('booting');
      const { spkiSha256, serverName } = tls;
      expect(second.client).toMatchObject({ tlsSpkiSha256: spkiSha256, tlsServerName: serverName, endpoint: null });
    });

    it('takes credentials later, from its owner only', async () => {
      await orphan();
      const access = { apiKey: 'its-key', spkiSha256: 'A'.repeat(43) + '=' };
      const { client } = await world.adoption.adopt(at('1'), {}, caller);
      await expect(world.adoption.adopt(at('1'), {}, caller)).rejects.toMatchObject({ code: 'server-has-row' });
      await expect(
        world.adoption.adopt(at('1'), access, { subject: 'another', role: 'operator' }),
      ).rejects.toMatchObject({
        code: 'server-has-row',
      });
      const { reference } = await world.adoption.adopt(at('1'), access, caller);
      expect(reference).toMatchObject({ clientId: client.id, phase: 'starting', lastError: null });
      await expect(world.adoption.adopt(at('1'), access, caller)).rejects.toMatchObject({ code: 'server-has-row' });
    });

    it('refuses what is no orphan, is gone, or was deleted', async () => {
      const row = await world.row('2');
      world.server('2', row.id);
      world.server('3', row.id);
      await orphan('1');
      await orphan('4');
      world.provider.servers.delete('4');
      await orphan('5', { status: 'deleting' });
      const buried = await orphan('6');
      await world.bury(buried);
      const refused = (id: string) => expect(world.adoption.adopt(at(id), {}, caller)).rejects;
      await refused('2').toMatchObject({ code: 'server-has-row' });
      await refused('3').toMatchObject({ code: 'provisioning-exists' });
      await refused('4').toMatchObject({ code: expect.stringMatching(/^orphan-/) });
      await refused('5').toMatchObject({ code: 'orphan-gone' });
      await refused('6').toMatchObject({ code: 'provisioning-exists' });
      await refused('7').toMatchObject({ code: 'orphan-not-found' });
      await world.database.insert();
      const [listed] = await world.database.clients.page('someone', 1);
      const taken = await world.database.clients.get(listed?.id ?? '');
      await expect(world.adoption.adopt(at('1'), { name: taken?.name }, caller)).rejects.toMatchObject({
        code: 'name-taken',
      });
      expect(Object.keys(await world.known())).toContain('1');
    });

    it('refuses a pin that is not of the certificate', async () => {
      await orphan();
      const { certificatePem } = await createServerTls(randomUUID(), new Date());
      const request = { apiKey: 'its-key', certificatePem, spkiSha256: 'A'.repeat(43) + '=' };
      await expect(world.adoption.adopt(at('1'), request, caller)).rejects.toMatchObject({
        code: 'validation-failed',
        options: { errors: [{ field: 'spkiSha256' }] },
      });
    });

    it('of two callers at once, one gets the server; a sweep that destroys meanwhile gets it from none', async () => {
      await orphan();
      const answers = await Promise.allSettled([
        world.adoption.adopt(at('1'), { name: 'one' }, caller),
        world.adoption.adopt(at('1'), { name: 'two' }, caller),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      world.sweep.orphanPolicy = 'delete';
      await world.run(600);
      expect(destroyed()).toEqual([]);
    });
  });

  it('says from when on the policy may destroy, and not while that is paused', async () => {
    const first = await world.orphans.report();
    expect(first).toMatchObject({ policy: 'report', servers: [], sweeps: [{ state: null }] });
    await world.run();
    await orphan();
    const after = async () => (await world.orphans.report()).servers[0]?.destroyAfter;
    expect(await after()).toBeNull();
    world.sweep.orphanPolicy = 'delete';
    expect(await after()).toEqual(new Date(world.now.getTime() + 3_600_000));
    await world.sweeps.pause('hetzner', 'restored-backup', 'why', world.now);
    expect(await after()).toBeNull();
  });
});
