import { AppError, type Caller } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { ProvisioningReference } from './provisioning-reference.entity';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

/** Any number; the same for every controller of a database. */
const QUOTA_LOCK = 7_312_054_902;

type Order = Pick<ProvisioningReference, 'monthlyCost' | 'currency'>;

interface Usage {
  servers: number;
  ownServers: number;
  cost: number;
  ownCost: number;
}

/** How much may exist at a time: servers and monthly cost, of an owner and in all. Rows count until they are gone. */
@Injectable()
export class QuotaService {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
  ) {}

  /** Which quota one more order would exceed, as of now. Null: none. */
  async problem(order: Order, caller: Caller): Promise<AppError | null> {
    return this.isUnlimited ? null : this.check(order, caller, this.dataSource.manager);
  }

  /** The same, and until the transaction ends nobody else is told that there is room. */
  async problemWithin(order: Order, caller: Caller, manager: EntityManager): Promise<AppError | null> {
    if (this.isUnlimited) return null;
    // Of the transaction, not of the session: it works through a transaction pooler as well.
    await manager.query('SELECT pg_advisory_xact_lock($1)', [QUOTA_LOCK]);
    return this.check(order, caller, manager);
  }

  get isUnlimited(): boolean {
    return Object.values(this.options.quotas ?? {}).every((limit) => limit === null || limit === undefined);
  }

  private async check({ monthlyCost, currency }: Order, { subject }: Caller, manager: EntityManager) {
    const [usage] = (await manager.query(
      `SELECT count(*)::integer AS servers,
         (count(*) FILTER (WHERE client.owner = $1))::integer AS "ownServers",
         coalesce(sum(monthly_cost) FILTER (WHERE currency = $2), 0) AS cost,
         coalesce(sum(monthly_cost) FILTER (WHERE currency = $2 AND client.owner = $1), 0) AS "ownCost"
       FROM provisioning_references JOIN clients AS client ON client.id = client_id`,
      [subject, currency],
    )) as Usage[];
    const { servers = 0, ownServers = 0, cost = 0, ownCost = 0 } = usage ?? {};
    const quotas = this.options.quotas ?? {};
    const price = monthlyCost ?? 0;
    return (
      exceeded('servers-per-owner', quotas.maxServersPerOwner, ownServers, 1) ??
      exceeded('servers', quotas.maxServers, servers, 1) ??
      exceeded('monthly-cost-per-owner', quotas.maxMonthlyCostPerOwner, ownCost, price, currency) ??
      exceeded('monthly-cost', quotas.maxMonthlyCost, cost, price, currency)
    );
  }
}

const WHAT = {
  servers: 'servers of all owners together',
  'servers-per-owner': 'servers of one owner',
  'monthly-cost': 'the monthly cost of all owners together',
  'monthly-cost-per-owner': 'the monthly cost of one owner',
};

function exceeded(
  quota: keyof typeof WHAT,
  limit: number | null | undefined,
  used: number,
  asked: number,
  currency: string | null = null,
): AppError | null {
  // In cents: sums of prices are not exact.
  if (limit === null || limit === undefined || cents(used) + cents(asked) <= cents(limit)) return null;
  const unit = currency ? ` ${currency}` : '';
  const [isUsed, isAsked] = [cents(used) / 100, cents(asked) / 100];
  return new AppError(
    'quota-exceeded',
    `The quota for ${WHAT[quota]} is ${limit}${unit}; ${isUsed}${unit} are used, and this would add ${isAsked}${unit}. ` +
      'Delete what is not needed, or ask the operator of this controller for more. What is being deleted counts until it is gone.',
    { extensions: { quota, limit, used: isUsed, asked: isAsked, ...(currency ? { currency } : {}) } },
  );
}

function cents(amount: number): number {
  return Math.round(amount * 100);
}
