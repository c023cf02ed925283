import {
  CloudError,
  type AdmittedRequest,
  type GatedRequest,
  type RequestGate,
  type RequestLimits,
} from '@agent-controller/cloud-port';
import { dataSourceOptions } from '@agent-controller/database';
import { createTestDatabase, type TestDatabase } from '@agent-controller/database/testing';
import { Secret, type Logger } from '@agent-controller/kernel';
import { createHash, randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { ProviderBudget } from '../budget/provider-budget.entity';
import { ProviderBudgets, type ProviderCondition } from '../budget/provider-budgets.service';

const CONTROLLERS = 3;

export const HETZNER_LIKE: RequestLimits = { perHour: 3_600 };
export const LOOK: GatedRequest = { purpose: 'look' };
export const CREATE: GatedRequest = { purpose: 'create' };
export const ORDER: GatedRequest = { purpose: 'create', ordersServer: true };
export const CONFIRM: GatedRequest = { purpose: 'confirm' };
export const DELETE: GatedRequest = { purpose: 'delete' };
export const LIST_KEYS: GatedRequest = { purpose: 'create', listsKeys: true };

/** Several controllers' gates to one project, over connections of their own to a real PostgreSQL. */
export class BudgetControllers {
  readonly warned: string[] = [];
  token = new Secret('');
  readonly #logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (_fields, message) => void this.warned.push(message),
    error: () => undefined,
  };

  private constructor(
    private readonly database: TestDatabase,
    private readonly sources: DataSource[],
  ) {}

  static async create(): Promise<BudgetControllers> {
    const database = await createTestDatabase();
    const sources = await Promise.all(Array.from({ length: CONTROLLERS }, () => connect(database.url)));
    return new BudgetControllers(database, sources);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.sources.map((source) => source.destroy()));
    await this.database.drop();
  }

  /** The gates to another project than before. */
  gates(limits: RequestLimits = HETZNER_LIKE): [RequestGate, RequestGate, RequestGate] {
    this.token = new Secret(`token-${randomUUID()}`);
    this.warned.length = 0;
    const [first, second, third] = this.sources.map((source) => this.budgets(source, limits).gate);
    return [first!, second!, third!];
  }

  /** A controller more, whose database can be taken away. */
  async another(): Promise<{ budgets: ProviderBudgets; gate: RequestGate; source: DataSource }> {
    const source = await connect(this.database.url);
    return { ...this.budgets(source, HETZNER_LIKE), source };
  }

  async condition(): Promise<ProviderCondition> {
    const [condition] = await this.budgets(this.sources[0]!, HETZNER_LIKE).budgets.conditions();
    return condition!;
  }

  row(): Promise<ProviderBudget> {
    return this.sources[0]!.getRepository(ProviderBudget).findOneByOrFail({ project: this.project });
  }

  /** As if so much time had passed. */
  async passSeconds(seconds: number): Promise<void> {
    await this.sources[0]!.query(
      `UPDATE provider_budgets SET refilled_at = refilled_at - $2 * interval '1 second',
         blocked_until = blocked_until - $2 * interval '1 second', retry_at = retry_at - $2 * interval '1 second',
         in_flight = ARRAY(SELECT t - $2::bigint * 1000000 FROM unnest(in_flight) AS t)
       WHERE project = $1`,
      [this.project, seconds],
    );
  }

  /** From now on a server that was ordered is waited for, and no other. */
  async waitForServer(isWanted: boolean, sinceMs = 0): Promise<void> {
    await this.sources[0]!.query('DELETE FROM clients');
    if (!isWanted) return;
    await this.sources[0]!.query(
      `WITH client AS (
         INSERT INTO clients (id, owner, name, agent_ws_port, authentication_type, is_auto_provisioned)
         VALUES (gen_random_uuid(), 'someone', 'waiting', 8080, 'api_key', true) RETURNING id)
       INSERT INTO provisioning_references
         (id, client_id, provider_type, server_type, location, image, phase, phase_since, attempt_since, configuration)
       SELECT id, id, 'hetzner', 'cx23', 'nbg1', 'debian-13', 'booting', now() - $1 * interval '1 millisecond', now(), '{}' FROM client`,
      [sinceMs],
    );
  }

  private get project(): string {
    return createHash('sha256').update(this.token.reveal()).digest('hex');
  }

  private budgets(source: DataSource, limits: RequestLimits): { budgets: ProviderBudgets; gate: RequestGate } {
    const budgets = new ProviderBudgets(source, this.#logger);
    return { budgets, gate: budgets.gate('hetzner', this.token, limits) };
  }
}

/** What a gate says no with. */
export async function refusalOf(gate: RequestGate, request: GatedRequest): Promise<CloudError> {
  const error: unknown = await gate.admit(request).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CloudError)) throw new Error(`No refusal: ${String(error)}`);
  return error;
}

/** Lets through what may pass of so many at once; each other one must be refused as said. */
export async function admitMany(
  gates: readonly RequestGate[],
  request: GatedRequest,
  count: number,
  refusedAs: CloudError['kind'] = 'rate-limited',
): Promise<AdmittedRequest[]> {
  const tries = Array.from({ length: count }, (_, index) => gates[index % gates.length]!.admit(request));
  const results = await Promise.allSettled(tries);
  for (const result of results) {
    if (result.status === 'fulfilled') continue;
    if ((result.reason as CloudError).kind !== refusedAs) throw result.reason;
  }
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

function connect(url: string): Promise<DataSource> {
  const options = dataSourceOptions({ url, poolSize: 4, applicationName: 'test', entities: [ProviderBudget] });
  return new DataSource(options).initialize();
}
