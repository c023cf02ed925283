import type { Caller } from '@agent-controller/kernel';
import { QuotaService } from './quota.service';
import { WorkflowDatabase } from './testing/workflow-database';
import type { Quotas } from './workflow.options';

const someone: Caller = { subject: 'someone', role: 'operator' };
const another: Caller = { subject: 'another', role: 'operator' };
const order = { monthlyCost: 4.1, currency: 'EUR' };

describe('QuotaService', () => {
  let database: WorkflowDatabase;

  beforeAll(async () => {
    database = await WorkflowDatabase.create();
  });
  afterAll(() => database.dispose());
  beforeEach(() => database.dataSource.query('DELETE FROM clients'));

  const service = (quotas: Quotas) => new QuotaService(database.dataSource, { ...database.options, quotas });
  const problem = async (quotas: Quotas, caller = someone, asked = order) => {
    const found = await service(quotas).problem(asked, caller);
    return found && { code: found.code, ...found.options.extensions };
  };

  it('counts the servers of an owner, and of all', async () => {
    await database.insert();
    await database.insert({ phase: 'deleting', intent: 'absent' });
    const exceeded = { code: 'quota-exceeded', limit: 2, used: 2, asked: 1 };
    expect(await problem({ maxServersPerOwner: 2 })).toEqual({ ...exceeded, quota: 'servers-per-owner' });
    expect(await problem({ maxServersPerOwner: 2 }, another)).toBeNull();
    expect(await problem({ maxServersPerOwner: 3 })).toBeNull();
    expect(await problem({ maxServers: 2 }, another)).toEqual({ ...exceeded, quota: 'servers' });
    expect(await problem({ maxServers: 0 }, another)).toMatchObject({ limit: 0, used: 2 });
    expect(await problem({ maxServers: null })).toBeNull();
    expect(await problem({})).toBeNull();
  });

  it('sums up the cost of each currency by itself, to the cent', async () => {
    for (const monthlyCost of [4.1, 4.1, 0.1]) await database.insert({ monthlyCost, currency: 'EUR' });
    await database.insert({ monthlyCost: 50, currency: 'USD' });
    await database.insert({ monthlyCost: null, currency: null });
    expect(await problem({ maxMonthlyCost: 12.4, maxMonthlyCostPerOwner: 12.4 })).toBeNull();
    const exceeded = { code: 'quota-exceeded', limit: 12.39, used: 8.3, asked: 4.1, currency: 'EUR' };
    expect(await problem({ maxMonthlyCostPerOwner: 12.39 })).toEqual({ ...exceeded, quota: 'monthly-cost-per-owner' });
    expect(await problem({ maxMonthlyCostPerOwner: 12.39 }, another)).toBeNull();
    expect(await problem({ maxMonthlyCost: 12.39 }, another)).toEqual({ ...exceeded, quota: 'monthly-cost' });
    expect(await problem({ maxMonthlyCost: 53 }, someone, { monthlyCost: 4, currency: 'USD' })).toMatchObject({
      ...{ used: 50, asked: 4, currency: 'USD' },
    });
  });

  it('lets one after the other pass, so that two at once cannot both have the last place', async () => {
    const quotas = service({ maxServersPerOwner: 3 });
    const accept = () =>
      database.dataSource.transaction(async (manager) => {
        const found = await quotas.problemWithin(order, someone, manager);
        if (found) throw found;
        await manager.query(
          `WITH client AS (
             INSERT INTO clients (id, owner, name, agent_ws_port, authentication_type, is_auto_provisioned)
             VALUES (gen_random_uuid(), 'someone', gen_random_uuid()::text, 8080, 'api_key', true) RETURNING id
           )
           INSERT INTO provisioning_references (id, client_id, provider_type, server_type, location, image, phase,
             phase_since, attempt_since, configuration)
           SELECT gen_random_uuid(), id, 'hetzner', 'cx23', 'nbg1', 'debian-13', 'creating-server', now(), now(), '{}'
           FROM client`,
        );
      });
    const answers = await Promise.allSettled(Array.from({ length: 12 }, accept));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    for (const answer of answers) {
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'quota-exceeded' });
    }
  });

  it('does not wait for anybody where there is no quota', async () => {
    const query = jest.fn();
    const manager = { query } as unknown as Parameters<QuotaService['problemWithin']>[2];
    expect(await service({}).problemWithin(order, someone, manager)).toBeNull();
    expect(query).not.toHaveBeenCalled();
  });
});
