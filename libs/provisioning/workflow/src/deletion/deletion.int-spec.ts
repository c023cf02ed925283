import { Client } from '@agent-controller/clients';
import { CloudProviderRegistry } from '@agent-controller/cloud-port';
import type { Logger } from '@agent-controller/kernel';
import { PHASES } from '../phases';
import { ProvisioningTombstone } from '../provisioning-tombstone.entity';
import type { RequestCheckService } from '../request-check.service';
import { advance, wait } from '../steps/step';
import { FakeCloudProvider } from '../testing/fake-cloud-provider';
import { provisioningService } from '../testing/provisioning-service';
import { WorkflowDatabase } from '../testing/workflow-database';
import { AbandonedServer } from './abandoned-server.entity';
import { AbandonmentService } from './abandonment.service';
import { DeletionGuard } from './deletion-guard.service';

const caller = { subject: 'someone', role: 'operator' } as const;
const stranger = { subject: 'somebody else', role: 'operator' } as const;
const NOW = new Date();
const DAY_MS = 86_400_000;
const clock = { now: () => NOW };
const ORDERED = { createRequestedAt: NOW, sentinelId: '9' };
const MADE = { ...ORDERED, serverId: '4711', serverName: 'made-1', publicIp: '203.0.113.7', monthlyCost: 4.15 };

describe('the end of a provisioning', () => {
  let database: WorkflowDatabase;
  let warnings: object[];

  beforeAll(async () => {
    database = await WorkflowDatabase.create();
  });
  beforeEach(async () => {
    warnings = [];
    await database.dataSource.query('DELETE FROM clients');
    await database.dataSource.query('DELETE FROM abandoned_servers');
  });
  afterAll(() => database.dispose());

  /** A controller with a token for Hetzner, or with none. */
  function controller(hasToken = true) {
    const { provisionings, clients, stepCommit } = database;
    const providers = hasToken ? [new FakeCloudProvider()] : [];
    const guard = new DeletionGuard(clients, new CloudProviderRegistry(providers));
    const logger = { warn: (entry: object) => void warnings.push(entry) } as unknown as Logger;
    const requests = {} as RequestCheckService;
    return {
      provisioning: provisioningService(database, { requests, providers, clock }),
      abandonment: new AbandonmentService(provisionings, clients, guard, stepCommit, clock, logger),
    };
  }

  const protect = (clientId: string, isProtected = true) =>
    database.dataSource.manager.update(Client, { id: clientId }, { isProtected });
  const abandoned = () => database.dataSource.manager.find(AbandonedServer);

  describe('a protected client', () => {
    it.each(PHASES.filter((phase) => phase !== 'deleting'))(
      'is not deleted in %s, until that is taken back',
      async (phase) => {
        const { id, clientId } = await database.insert({ phase, ...MADE });
        await protect(clientId);
        const { provisioning, abandonment } = controller();
        const before = await database.get(id);
        const refusal = {
          code: 'client-protected',
          message: expect.stringContaining(`PATCH /api/clients/${clientId}`),
        };
        await expect(provisioning.requestDeletion(clientId, caller)).rejects.toMatchObject(refusal);
        await expect(abandonment.abandon(clientId, 'why', caller)).rejects.toMatchObject(refusal);
        expect(await database.get(id)).toEqual(before);
        await protect(clientId, false);
        expect(await provisioning.requestDeletion(clientId, caller)).toBe('deleting');
      },
    );

    it('is not protected against a deletion that goes on, but against beginning one again that failed', async () => {
      const { provisioning } = controller();
      const going = await database.insert({ phase: 'deleting', intent: 'absent', ...MADE });
      await protect(going.clientId);
      expect(await provisioning.requestDeletion(going.clientId, caller)).toBe('deleting');
      const failed = await database.insert({ phase: 'failed', intent: 'absent', ...ORDERED });
      await protect(failed.clientId);
      for (const again of [
        provisioning.requestDeletion(failed.clientId, caller),
        provisioning.retry(failed.clientId, caller),
      ]) {
        await expect(again).rejects.toMatchObject({ code: 'client-protected' });
      }
    });

    it('may be retried: what is replaced is wanted', async () => {
      const { clientId } = await database.insert({ phase: 'failed', ...MADE });
      await protect(clientId);
      expect((await controller().provisioning.retry(clientId, caller)).reference.phase).toBe('replacing');
    });

    it('is either deleted or protected, never both, when both are asked for at once', async () => {
      for (let round = 0; round < 20; round++) {
        const { id, clientId } = await database.insert({ phase: 'ready', ...MADE, serverId: String(round) });
        const [deletion] = await Promise.allSettled([
          controller().provisioning.requestDeletion(clientId, caller),
          protect(clientId),
        ]);
        const { intent } = await database.get(id);
        expect([deletion.status, intent]).toEqual(
          deletion.status === 'fulfilled' ? ['fulfilled', 'absent'] : ['rejected', 'present'],
        );
      }
    });

    it('waits for a change of its protection that is about to be saved', async () => {
      const { id, clientId } = await database.insert({ phase: 'ready', ...MADE });
      const runner = database.dataSource.createQueryRunner();
      await runner.startTransaction();
      await runner.query('UPDATE clients SET is_protected = true WHERE id = $1', [clientId]);
      const deletion = controller()
        .provisioning.requestDeletion(clientId, caller)
        .catch((error: unknown) => error);
      await lockIsWaitedFor();
      await runner.commitTransaction();
      await runner.release();
      expect(await deletion).toMatchObject({ code: 'client-protected' });
      expect((await database.get(id)).intent).toBe('present');
    });
  });

  describe('without a token for the provider', () => {
    it.each(PHASES)('nothing is begun in %s, and nothing is changed', async (phase) => {
      const { id, clientId } = await database.insert({ phase, ...MADE });
      const before = await database.get(id);
      const { provisioning } = controller(false);
      const refusal = {
        code: 'provider-not-configured',
        message: expect.stringMatching(/Set HETZNER_API_TOKEN.*\?abandon=true&reason=/),
      };
      await expect(provisioning.requestDeletion(clientId, caller)).rejects.toMatchObject(refusal);
      if (phase === 'failed') await expect(provisioning.retry(clientId, caller)).rejects.toMatchObject(refusal);
      expect(await database.get(id)).toEqual(before);
    });

    it('what surely has no server can go', async () => {
      const { id, clientId } = await database.insert({ phase: 'failed' });
      expect(await controller(false).provisioning.requestDeletion(clientId, caller)).toBe('deleting');
      expect(await database.get(id)).toMatchObject({ phase: 'deleting', intent: 'absent' });
    });

    it('a failed deletion goes on once the token is back', async () => {
      const { clientId } = await database.insert({ phase: 'failed', intent: 'absent', ...MADE });
      await expect(controller(false).provisioning.retry(clientId, caller)).rejects.toMatchObject({
        code: 'provider-not-configured',
      });
      expect((await controller().provisioning.retry(clientId, caller)).reference.phase).toBe('deleting');
    });
  });

  describe('two deletions at once', () => {
    it.each(PHASES)('are one, in %s', async (phase) => {
      const { id, clientId } = await database.insert({ phase, ...MADE });
      const all = await Promise.all([1, 2, 3].map(() => controller().provisioning.requestDeletion(clientId, caller)));
      expect(all).toEqual(['deleting', 'deleting', 'deleting']);
      expect((await database.get(id)).intent).toBe('absent');
      const notes = (await database.events.since(clientId, 0)).filter(
        ({ message }) => message === 'Deletion was requested',
      );
      expect(notes).toHaveLength(1);
      expect((await database.jobs()).filter(({ key }) => key === id)).toHaveLength(1);
    });
  });

  describe('giving a server up', () => {
    it.each(PHASES)('ends it in %s: no rows, no tombstone, on record for ever', async (phase) => {
      const { id, clientId } = await database.insert({ phase, ...MADE });
      const { provisioning, abandonment } = controller();
      expect(await abandonment.abandon(clientId, 'The account is closed', caller)).toBe('gone');
      expect(await database.provisionings.find(id)).toBeNull();
      expect(await database.clients.get(clientId)).toBeNull();
      expect(await database.dataSource.manager.findBy(ProvisioningTombstone, { clientId })).toEqual([]);
      const record = {
        provisioningId: id,
        clientId,
        owner: 'someone',
        providerType: 'hetzner',
        serverId: '4711',
        serverName: 'made-1',
        publicIp: '203.0.113.7',
        location: 'nbg1',
        serverType: 'cx23',
        monthlyCost: 4.15,
        sentinelId: '9',
        attempt: 1,
        phase,
        reason: 'The account is closed',
        abandonedBy: 'someone',
        abandonedAt: NOW,
      };
      expect(await abandonment.list(caller, 10)).toMatchObject([record]);
      expect(await abandonment.list(stranger, 10)).toEqual([]);
      expect(warnings).toMatchObject([record]);
      const last = (await database.events.since(clientId, 0)).at(-1);
      expect(last).toMatchObject({
        type: 'deleted',
        data: { abandoned: true, reason: 'The account is closed' },
        expiresAt: new Date(NOW.getTime() + DAY_MS),
      });
      // Repeated, in either way, as after a deletion; for its owner alone, and while its log is kept.
      expect(await provisioning.isBuried(clientId, stranger)).toBe(false);
      expect(await provisioning.requestDeletion(clientId, caller)).toBe('gone');
      expect(await abandonment.abandon(clientId, 'again', caller)).toBe('gone');
      expect(await abandoned()).toHaveLength(1);
      await database.dataSource.query(`UPDATE provisioning_events SET expires_at = now() - interval '1 minute'`);
      await expect(provisioning.requestDeletion(clientId, caller)).rejects.toMatchObject({ code: 'client-not-found' });
    });

    it('works without a token for the provider', async () => {
      const { clientId } = await database.insert({ phase: 'failed', ...MADE });
      expect(await controller(false).abandonment.abandon(clientId, 'gone with the account', caller)).toBe('gone');
    });

    it("is not possible for another's client, nor for one that does not exist", async () => {
      const { id, clientId } = await database.insert({ phase: 'ready', ...MADE });
      const { abandonment } = controller();
      const refusal = { code: 'client-not-found' };
      await expect(abandonment.abandon(clientId, 'mine', stranger)).rejects.toMatchObject(refusal);
      await expect(abandonment.abandon(id, 'no client', caller)).rejects.toMatchObject(refusal);
      expect(await database.provisionings.find(id)).not.toBeNull();
    });

    it.each([
      ['creating-server', 'present'],
      ['failed', 'present'],
      ['replacing', 'present'],
      ['deleting', 'absent'],
    ] as const)('is refused while an ordered server is not known (%s, %s)', async (phase, intent) => {
      const { id, clientId } = await database.insert({ phase, intent, ...ORDERED });
      await expect(controller().abandonment.abandon(clientId, 'why', caller)).rejects.toMatchObject({
        code: 'order-under-way',
        message: expect.stringMatching(/Wait.*delete without `abandon`/),
      });
      expect(await database.provisionings.find(id)).not.toBeNull();
      expect(await abandoned()).toEqual([]);
    });

    it.each([
      ['after a deletion that could not find it', { phase: 'failed', intent: 'absent' }, true],
      ['where nobody can look for it', { phase: 'creating-server' }, false],
    ] as const)('keeps the name of a server that is not known, %s', async (_name, changes, hasToken) => {
      const { id, clientId } = await database.insert({ ...changes, ...ORDERED });
      await controller(hasToken).abandonment.abandon(clientId, 'why', caller);
      expect(await abandoned()).toMatchObject([
        { serverId: null, serverName: expect.stringMatching(new RegExp(`^client-.*-${id.slice(0, 8)}-1$`)) },
      ]);
    });

    it('drops what a running step has found, and lets it order nothing any more', async () => {
      const { id, clientId } = await database.insert();
      expect(await database.provisionings.acquireLease(id, 'runner')).not.toBeNull();
      const reference = await database.get(id);
      await controller().abandonment.abandon(clientId, 'why', caller);
      const seen = { version: reference.version, leaseOwner: 'runner' };
      const order = {
        sentinelId: 'key',
        firewallName: null,
        at: NOW,
        callbackTokenHash: null,
        bootstrapTokenHash: null,
      };
      expect(await database.provisionings.markCreateRequested(id, seen, order)).toBe(false);
      for (const result of [advance('booting', { patch: { serverId: '1' } }), wait(0), { kind: 'gone' } as const]) {
        expect(await database.stepCommit.commit({ reference, leaseOwner: 'runner' }, result, NOW)).toBe(false);
      }
      expect(await database.dataSource.manager.findBy(ProvisioningTombstone, { clientId })).toEqual([]);
      expect(await abandoned()).toMatchObject([{ serverId: null, serverName: null }]);
    });

    it('is done once, when asked for twice at once', async () => {
      const { clientId } = await database.insert({ phase: 'ready', ...MADE });
      const { abandonment } = controller();
      const all = await Promise.all([1, 2, 3].map(() => abandonment.abandon(clientId, 'why', caller)));
      expect(all).toEqual(['gone', 'gone', 'gone']);
      expect(await abandoned()).toHaveLength(1);
      expect(warnings).toHaveLength(1);
    });

    it('lists the newest first, and as many as are wanted', async () => {
      const { abandonment } = controller();
      for (const serverId of ['1', '2', '3']) {
        const { clientId } = await database.insert({ phase: 'ready', ...MADE, serverId });
        await abandonment.abandon(clientId, 'why', caller);
        await database.dataSource.query(`UPDATE abandoned_servers SET abandoned_at = abandoned_at - interval '1 day'`);
      }
      expect((await abandonment.list(caller, 2)).map(({ serverId }) => serverId)).toEqual(['3', '2']);
    });
  });

  async function lockIsWaitedFor(): Promise<void> {
    const end = Date.now() + 60_000;
    for (;;) {
      const [row]: { waiting: boolean }[] = await database.dataSource.query(
        `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock') AS waiting`,
      );
      if (row?.waiting) return;
      if (Date.now() > end) throw new Error('Nobody waits for a lock');
    }
  }
});
