import { dataSourceOptions } from '@agent-controller/database';
import { createTestDatabase, type TestDatabase } from '@agent-controller/database/testing';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { ACCESS_ENTITIES } from './access.module';
import { AuditTrailRepository, type NewAuditEntry } from './audit/audit-trail.repository';
import { RateCountsRepository } from './limits/rate-counts.repository';

describe('the tables of who may call', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    const { url } = database;
    dataSource = new DataSource(
      dataSourceOptions({ url, poolSize: 8, applicationName: 'test', entities: ACCESS_ENTITIES }),
    );
    await dataSource.initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  describe('audit_log', () => {
    const clientId = randomUUID();
    const entry = (changes: Partial<NewAuditEntry> = {}): NewAuditEntry => ({
      ...{ at: new Date('2026-11-23T12:00:00Z'), subject: 'api-key:alice', role: 'operator' },
      ...{ action: 'POST /api/clients', clientId, address: '192.0.2.1', status: 201, code: null },
      ...{ requestId: 'r', count: 1, ...changes },
    });

    it('keeps the name of a client that is gone', async () => {
      const trail = new AuditTrailRepository(dataSource);
      await dataSource.query(
        `INSERT INTO clients (id, owner, name, agent_ws_port, authentication_type, is_auto_provisioned)
         VALUES ($1, 'api-key:alice', 'web', 8080, 'api_key', false)`,
        [clientId],
      );
      await trail.append([entry()]);
      await dataSource.query('DELETE FROM clients WHERE id = $1', [clientId]);
      await trail.append([entry({ action: 'DELETE /api/clients/:id', at: new Date('2026-11-24T12:00:00Z') })]);
      await trail.append([entry({ clientId: null, subject: null, role: null, action: 'authentication', count: 17 })]);
      const all = await trail.page({}, 10);
      expect(all.map(({ action, clientName }) => [action, clientName])).toEqual([
        ['authentication', null],
        ['DELETE /api/clients/:id', 'web'],
        ['POST /api/clients', 'web'],
      ]);
      expect(all[0]).toMatchObject({ count: 17, subject: null, address: '192.0.2.1' });
    });

    it('is searched by client, subject and time, in pages', async () => {
      const trail = new AuditTrailRepository(dataSource);
      const actions = async (...search: Parameters<typeof trail.page>) =>
        (await trail.page(...search)).map(({ action }) => action);
      expect(await actions({ clientId }, 10)).toEqual(['DELETE /api/clients/:id', 'POST /api/clients']);
      expect(await actions({ subject: 'api-key:bob' }, 10)).toEqual([]);
      expect(await actions({ since: new Date('2026-11-24T00:00:00Z') }, 10)).toEqual(['DELETE /api/clients/:id']);
      const [first] = await trail.page({ clientId }, 1);
      expect(await actions({ clientId, before: first?.id }, 10)).toEqual(['POST /api/clients']);
    });

    it.each([
      `UPDATE audit_log SET subject = 'somebody else'`,
      'DELETE FROM audit_log',
      'TRUNCATE audit_log',
      `INSERT INTO audit_log (id, at, action, address, status) OVERRIDING SYSTEM VALUE VALUES (1, now(), 'a', 'b', 200)
       ON CONFLICT (id) DO UPDATE SET action = 'c'`,
    ])('refuses %s', async (statement) => {
      const before = await dataSource.query('SELECT * FROM audit_log ORDER BY id');
      await expect(dataSource.query(statement)).rejects.toThrow('append-only');
      expect(await dataSource.query('SELECT * FROM audit_log ORDER BY id')).toEqual(before);
    });

    describe('by age', () => {
      const days = (count: number) => new Date(Date.now() - count * 86_400_000);
      const actions = async () =>
        (await new AuditTrailRepository(dataSource).page({}, 2_000)).map(({ action }) => action);
      let trail: AuditTrailRepository;

      beforeEach(async () => {
        trail = new AuditTrailRepository(dataSource);
        await dataSource.query('ALTER TABLE audit_log DISABLE TRIGGER USER');
        await dataSource.query('DELETE FROM audit_log');
        await dataSource.query('ALTER TABLE audit_log ENABLE TRIGGER USER');
      });

      it('goes in batches, the oldest first, and each batch says so', async () => {
        for (const age of [101, 100, 99, 89, 0]) await trail.append([entry({ at: days(age), action: `of ${age}` })]);
        expect(await trail.removeBefore(days(90), 2)).toBe(2);
        const removal = `removal of entries before ${days(90).toISOString().slice(0, 10)}`;
        expect(await actions()).toEqual([removal, 'of 0', 'of 89', 'of 99']);
        expect((await trail.page({}, 1))[0]).toMatchObject({ subject: 'housekeeping', count: 2, status: 200 });
        expect(await trail.removeBefore(days(90), 2)).toBe(1);
        expect(await trail.removeBefore(days(90), 2)).toBe(0);
        expect(await actions()).toEqual([removal, removal, 'of 0', 'of 89']);
      });

      it('waits until there is a whole day, so that what is said of it does not grow', async () => {
        await trail.append([entry({ at: days(90.5) })]);
        expect(await trail.removeBefore(days(90), 10)).toBe(0);
        await trail.append([entry({ at: days(0) })]);
        expect(await trail.removeBefore(days(89), 10)).toBe(1);
      });

      it('never takes what is younger than 30 days, whatever is asked for', async () => {
        await trail.append([entry({ at: days(32), action: 'old' })]);
        await trail.append([entry({ at: days(29), action: 'young' })]);
        expect(await trail.removeBefore(days(1), 10)).toBe(1);
        expect(await actions()).toEqual([expect.stringContaining('removal'), 'young']);
        await dataSource
          .transaction(async (manager) => {
            await manager.query(`SET LOCAL agent_controller.audit_removal = 'by age'`);
            await expect(manager.query('DELETE FROM audit_log')).rejects.toThrow('keeps every entry for 30 days');
          })
          .catch(() => undefined);
        expect(await actions()).toContain('young');
      });

      it('is the only way: without it old entries are refused as well', async () => {
        await trail.append([entry({ at: days(400) })]);
        await expect(dataSource.query('DELETE FROM audit_log')).rejects.toThrow('append-only');
        expect(await trail.removeBefore(days(100), 10)).toBe(1);
        await expect(dataSource.query('DELETE FROM audit_log')).rejects.toThrow('append-only');
      });
    });
  });

  describe('rate_counts', () => {
    const minute = (n: number) => new Date(Date.UTC(2026, 10, 23, 12, n));

    it('sums up what all controllers add at once, in whatever order', async () => {
      const counts = new RateCountsRepository(dataSource);
      const keys = Array.from({ length: 20 }, (_, index) => `caller ${index}`);
      await Promise.all(
        Array.from({ length: 16 }, (_, index) => {
          const deltas = keys.map((key) => ({ key, windowStart: minute(0), count: 2 }));
          return counts.add(index % 2 ? deltas : deltas.reverse());
        }),
      );
      const sums = await counts.add([{ key: 'caller 7', windowStart: minute(0), count: 1 }]);
      expect(sums).toEqual([{ key: 'caller 7', windowStart: minute(0), count: 33 }]);
    });

    it('begins anew with the window, and does not mind who is late', async () => {
      const counts = new RateCountsRepository(dataSource);
      expect(await counts.add([{ key: 'caller 7', windowStart: minute(1), count: 4 }])).toMatchObject([{ count: 4 }]);
      const late = await counts.add([{ key: 'caller 7', windowStart: minute(0), count: 9 }]);
      expect(late).toMatchObject([{ windowStart: minute(1), count: 4 }]);
      await counts.forgetBefore(minute(1));
      expect(await dataSource.query('SELECT key FROM rate_counts')).toEqual([{ key: 'caller 7' }]);
    });
  });
});
