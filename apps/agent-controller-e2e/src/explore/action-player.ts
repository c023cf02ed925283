import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../support/api';
import type { Installation } from '../support/controller-process';
import type { Action, Provider } from './explore-action';
import { faultByName } from './explore-faults';
import type { Fleet } from './fleet';
import type { Ledger, OrderRecord } from './ledger';

const ORDER_PATH = '/api/clients/provisioning/provision';
const ORDERS = {
  hetzner: { providerType: 'hetzner', serverType: 'cx33' },
  digitalocean: { providerType: 'digital-ocean', serverType: 's-2vcpu-4gb' },
};

export interface Stage {
  installation: Installation;
  fleet: Fleet;
  /** Absent where the database is shared: then its connections are cut instead. */
  restartDatabase?: () => Promise<void>;
}

/** Makes actions happen. Calls are not waited for, so that they overlap as in life. */
export class ActionPlayer {
  readonly #pending: Promise<unknown>[] = [];

  constructor(
    private readonly stage: Stage,
    private readonly ledger: Ledger,
    /** Makes names and keys of this run its own. */
    private readonly run: string,
  ) {}

  async play(action: Action): Promise<void> {
    const { installation, fleet } = this.stage;
    switch (action.do) {
      case 'order':
        await this.strike(action.fault, action.provider);
        return this.order(action.provider, action.name, action.key, action.at);
      case 'repeat':
        return this.onOrder(action.of, (order) => void this.begin(this.send(order, action.at)));
      case 'fault':
        return this.strike(action.fault, action.provider, action.times);
      case 'token':
        return installation.emulator.setToken(action.trouble, action.on);
      case 'kill':
        return fleet.end(action.at, 'SIGKILL');
      case 'stop':
        return void this.begin(fleet.end(action.at, 'SIGTERM'));
      case 'start':
        return void this.begin(fleet.start(action.at));
      case 'cut':
        return this.cut();
      case 'restart-database':
        return this.restartDatabase();
      case 'pause':
        return sleep(action.ms);
      case 'remove':
        return this.onOrder(action.of, (order) => void this.begin(this.removeByHand(order)));
      case 'preview':
        return this.preview(action.provider, action.at);
      default:
        return this.onOrder(action.of, (order) => void this.begin(this.onClient(action, order)));
    }
  }

  /** Until every call has been answered or given up. */
  async settle(): Promise<void> {
    while (this.#pending.length > 0) await this.#pending.shift();
  }

  private async strike(fault: string | undefined, provider: Provider, times = 1): Promise<void> {
    if (fault) await this.stage.installation.emulator.addFault({ ...faultByName(fault, provider), times });
  }

  private begin(work: Promise<unknown>): void {
    this.#pending.push(work);
  }

  private onOrder(index: number, use: (order: OrderRecord) => void): void {
    const { orders } = this.ledger;
    const order = orders[index % Math.max(1, orders.length)];
    if (order) use(order);
  }

  private order(provider: Provider, name: number | undefined, key: number | undefined, at: number): void {
    const order: OrderRecord = {
      key: key === undefined ? null : `${this.run}-${key}`,
      body: {
        ...ORDERS[provider],
        authenticationType: 'api_key',
        ...(name === undefined ? {} : { name: `${this.run}-${name}` }),
      },
      answers: [],
      first: Promise.resolve(),
    };
    this.ledger.orders.push(order);
    order.first = this.send(order, at);
    this.begin(order.first);
  }

  private async send(order: OrderRecord, at: number): Promise<void> {
    const api = this.stage.fleet.api(at);
    if (!api) return;
    const headers: Record<string, string> = order.key === null ? {} : { 'idempotency-key': order.key };
    const answer = await this.call('an order', () => api.post<OrderAnswer>(ORDER_PATH, order.body, headers));
    order.answers.push({ status: answer.status, ...(answer.status === 202 ? answer.body : {}) });
  }

  private async onClient(action: Extract<Action, { of: number; at: number }>, order: OrderRecord): Promise<void> {
    await order.first;
    const id = order.answers.find(({ status }) => status === 202)?.id;
    const api = this.stage.fleet.api(action.at);
    if (!id || !api) return;
    const path = `/api/clients/${id}/provisioning`;
    if (action.do === 'delete') {
      await this.strike(action.fault, order.body['providerType'] === 'hetzner' ? 'hetzner' : 'digitalocean');
      this.ledger.noteDeletion(id, 0);
      const headers: Record<string, string> = action.wait ? { prefer: 'wait=3' } : {};
      const { status } = await this.call('a deletion', () => api.delete(path, headers));
      this.ledger.noteDeletion(id, status);
    } else if (action.do === 'retry') await this.call('a retry', () => api.post(`${path}/retry`));
    else if (action.do === 'info') await this.call('info', () => api.get(`${path}/info?refresh=true`));
    else if (action.do === 'patch') {
      await this.call('a change', () => api.patch(`/api/clients/${id}`, { description: `of ${this.run}` }));
    }
  }

  private preview(provider: Provider, at: number): void {
    const api = this.stage.fleet.api(at);
    const body = { ...ORDERS[provider], authenticationType: 'api_key' };
    if (api) this.begin(this.call('a preview', () => api.post('/api/clients/provisioning/preview', body)));
  }

  private async removeByHand(order: OrderRecord): Promise<void> {
    await order.first;
    const id = order.answers.find(({ status }) => status === 202)?.id;
    if (!id) return;
    try {
      const [row] = await this.stage.installation.query<{ server: string | null; provider: string }>(
        `SELECT server_id AS server, provider_type AS provider FROM provisioning_references WHERE client_id = '${id}'`,
      );
      if (!row?.server) return;
      this.ledger.removedByHand.push(row.server);
      await this.stage.installation.emulator.removeServer(row.provider, row.server);
    } catch {
      // The database may be away.
    }
  }

  private async cut(): Promise<void> {
    this.ledger.isDatabaseTroubled = true;
    await this.stage.installation
      .query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      )
      .catch(() => undefined);
  }

  private async restartDatabase(): Promise<void> {
    this.ledger.isDatabaseTroubled = true;
    if (this.stage.restartDatabase) await this.stage.restartDatabase();
    else await this.cut();
  }

  private async call<T>(what: string, send: () => Promise<Answer<T>>): Promise<{ status: number; body: T }> {
    try {
      const { status, body } = await send();
      this.ledger.check(what, status, JSON.stringify(body));
      return { status, body };
    } catch {
      // The controller was killed, or did not answer in time.
      return { status: 0, body: {} as T };
    }
  }
}

interface OrderAnswer {
  id: string;
  apiKey: string | null;
}
