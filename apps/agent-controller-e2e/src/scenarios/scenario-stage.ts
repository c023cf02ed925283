import type { ProvisionedClientView } from '@agent-controller/contracts';
import { faultByName } from '../explore/explore-faults';
import { BRISK } from '../explore/fleet';
import { hurry, isSettled, quiesce } from '../explore/healing';
import { lastingViolations } from '../invariant/lasting-violations';
import type { Answer } from '../support/api';
import { Installation, type Controller } from '../support/controller-process';
import { provision } from '../support/provision';
import { until } from '../support/until';

export type ScenarioProvider = 'hetzner' | 'digital-ocean';

const ORDERS = {
  hetzner: { providerType: 'hetzner', serverType: 'cx33' },
  'digital-ocean': { providerType: 'digital-ocean', serverType: 's-2vcpu-4gb' },
};
const EMULATED = { hetzner: 'hetzner', 'digital-ocean': 'digitalocean' } as const;

/** Back-offs are tested elsewhere; here they would only be waited for. */
const HURRY_MS = 300;

/** What is left when nothing is under way. */
export interface Outcome {
  /** `phase attempt`, and the code of the last error where there is one. */
  rows: string[];
  servers: number;
  /** Orders that the provider was sent. */
  orders: number;
  violations: string[];
}

/** Two controllers with short limits, and what scenarios do with them. */
export class ScenarioStage {
  provider: ScenarioProvider = 'hetzner';
  /** Of the last order that was accepted. */
  id = '';
  #ordersBefore = 0;
  #hurrying?: NodeJS.Timeout;
  readonly #removedByHand: string[] = [];

  private constructor(
    readonly installation: Installation,
    private controllers: Controller[],
  ) {}

  static async create(): Promise<ScenarioStage> {
    const installation = await Installation.create();
    const start = () => installation.startController(BRISK);
    return new ScenarioStage(installation, await Promise.all([start(), start()]));
  }

  async begin(provider: ScenarioProvider, faults: readonly (string | [string, number])[]): Promise<void> {
    this.provider = provider;
    this.#ordersBefore = await this.orders();
    this.#hurrying = setInterval(() => void hurry(this).catch(() => undefined), HURRY_MS);
    for (const fault of faults) {
      const [name, times] = typeof fault === 'string' ? [fault, 1] : fault;
      await this.installation.emulator.addFault({ ...faultByName(name, EMULATED[provider]), times });
    }
  }

  /** @returns the status that the caller got; 0 when there was no answer */
  async order(changes: Record<string, unknown> = {}, headers: Record<string, string> = {}, at = 0): Promise<number> {
    const body = { ...ORDERS[this.provider], ...changes };
    const answer = await this.api(at, (api) => provision(api, body, headers));
    if (answer.body?.id) this.id = answer.body.id;
    return answer.status;
  }

  async delete(headers: Record<string, string> = { prefer: 'wait=60' }): Promise<number> {
    return (await this.api(1, (api) => api.delete(`/api/clients/${this.id}/provisioning`, headers))).status;
  }

  async retry(): Promise<number> {
    return (await this.api(0, (api) => api.post(`/api/clients/${this.id}/provisioning/retry`))).status;
  }

  /** Kills the controller that callers use first; the other goes on. */
  async kill(): Promise<void> {
    await this.controllers[0]!.stop('SIGKILL');
  }

  async replaceKilled(): Promise<void> {
    const running = this.controllers.filter((controller) => controller.isRunning);
    const missing = this.controllers.length - running.length;
    const start = () => this.installation.startController(BRISK);
    this.controllers = [...running, ...(await Promise.all(Array.from({ length: missing }, start)))];
  }

  async setToken(trouble: 'revoke' | 'elsewhere', value: boolean): Promise<void> {
    await this.installation.emulator.setToken(trouble, value);
  }

  async removeByHand(): Promise<void> {
    const [server] = await this.existing();
    this.#removedByHand.push(server!.id);
    await this.installation.emulator.removeServer(server!.provider, server!.id);
    await until(
      () => this.existing(),
      ({ length }) => length === 0,
    );
  }

  /** The order has reached the provider, or is about to. */
  async untilOrdered(): Promise<void> {
    await until(
      () =>
        this.installation.query(
          `SELECT 1 FROM provisioning_references WHERE create_requested_at IS NOT NULL AND phase = 'creating-server'`,
        ),
      ({ length }) => length > 0,
    );
  }

  /** Until nothing is under way; waits for a time are cut short. */
  async settle(): Promise<void> {
    const fleet = { checkNobodyFell: () => undefined, log: () => this.controllers.map((one) => one.log()).join('\n') };
    await quiesce({ installation: this.installation, fleet }, isSettled);
  }

  async outcome(): Promise<Outcome> {
    await this.settle();
    const rows = await this.installation.query<{ text: string }>(
      `SELECT concat_ws(' ', phase, attempt, last_error ->> 'code') AS text FROM provisioning_references ORDER BY text`,
    );
    const found = await lastingViolations(this, { removedByHand: this.#removedByHand });
    return {
      rows: rows.map(({ text }) => text),
      servers: (await this.existing()).length,
      orders: (await this.orders()) - this.#ordersBefore,
      violations: found,
    };
  }

  /** Takes all trouble and everything that is left away. */
  async clear(): Promise<void> {
    clearInterval(this.#hurrying);
    await this.installation.emulator.clearFaults();
    for (const trouble of ['revoke', 'elsewhere'] as const) await this.setToken(trouble, false);
    await this.replaceKilled();
    const clients = await this.installation.query<{ id: string }>(
      'SELECT client_id AS id FROM provisioning_references',
    );
    for (const { id } of clients) {
      await this.api(0, (api) => api.delete(`/api/clients/${id}/provisioning`));
    }
    await this.settle();
    expect([await this.installation.query('SELECT 1 FROM clients'), await this.existing()]).toEqual([[], []]);
  }

  async dispose(): Promise<void> {
    await this.installation.dispose();
  }

  private async existing() {
    return (await this.installation.emulator.servers()).filter(({ life }) => life !== 'deleting');
  }

  private async orders(): Promise<number> {
    const requests = await this.installation.emulator.requests();
    return requests.filter(({ method, path }) => method === 'POST' && /\/(servers|droplets)$/.test(path)).length;
  }

  private async api<T>(
    at: number,
    send: (api: Controller['api']) => Promise<Answer<T>>,
  ): Promise<{ status: number; body: Partial<ProvisionedClientView> | undefined }> {
    const running = this.controllers.filter((controller) => controller.isRunning);
    try {
      const { status, body } = await send(running[at % running.length]!.api);
      return { status, body: body as Partial<ProvisionedClientView> | undefined };
    } catch {
      return { status: 0, body: undefined };
    }
  }
}
