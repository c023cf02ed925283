import { AppError } from '@agent-controller/kernel';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { BootstrapKeys } from '../redemption/bootstrap-keys.repository';
import { RedemptionService } from '../redemption/redemption.service';
import { CallbackTokens } from '../reports/callback-tokens';
import { UserDataService } from '../user-data.service';
import type { WorkflowOptions } from '../workflow.options';
import { SECRETS, type RedeemingServer } from './redeeming-server';
import { WorkflowDatabase } from './workflow-database';

export const NOW = Date.parse('2026-11-25T12:00:00.000Z');
export const HOME = '/opt/agent-manager/';
/** What a server gets, without its folder. */
export const ALL = ['docker-compose.override.yml', 'tls/key.pem', 'callback.curlrc'];

/** Rows of servers that were ordered, and a service to redeem at, on a real database. */
export class RedemptionBench {
  now = NOW;
  readonly clock = { now: () => new Date(this.now) };
  readonly tokens: CallbackTokens;

  private constructor(readonly database: WorkflowDatabase) {
    this.tokens = new CallbackTokens(database.secretBox, this.options(false));
  }

  static async create(): Promise<RedemptionBench> {
    return new RedemptionBench(await WorkflowDatabase.create());
  }

  service(knowsCallersAddress = false): RedemptionService {
    const { dataSource, provisionings, clients, events } = this.database;
    const userData = new UserDataService(provisionings, clients, this.tokens);
    const keys = new BootstrapKeys(dataSource);
    const options = this.options(knowsCallersAddress);
    return new RedemptionService(provisionings, clients, keys, userData, events, options, this.clock);
  }

  /** A row whose server was ordered, and its bootstrap token. */
  async ordered(changes: Partial<ProvisioningReference> = {}) {
    const { database, tokens } = this;
    const at = new Date(NOW);
    const { images } = database.options;
    const configuration = { images, agentWsPort: 8443, environmentVariables: [], agentDefaultImage: 'worker' };
    const row = await database.insert({
      phase: 'installing',
      phaseSince: at,
      attemptSince: at,
      configuration: configuration as unknown as ProvisioningReference['configuration'],
    });
    await database.dataSource.manager.update('provisioning_references', row.id, {
      sealedSecrets: database.provisionings.sealSecrets(row.id, SECRETS),
      ...tokens.storedHashes(row),
      ...changes,
    });
    return { id: row.id, clientId: row.clientId, token: tokens.redemption(row)?.token ?? '' };
  }

  /** @returns the paths without their folder, or the code of the refusal */
  redeem(
    to: RedemptionService,
    { id, token }: { id: string; token: string },
    server: RedeemingServer,
    { address = '192.0.2.7', ...changes }: { address?: string; sentAt?: number; attempt?: number } = {},
  ): Promise<string[] | string> {
    const body = server.request(id, { sentAt: (this.now += 1_000), ...changes });
    return to.redeem(id, token, body, address).then(
      (files) => files.map(({ path }) => path.replace(HOME, '')),
      (error: unknown) => (error instanceof AppError ? error.code : String(error)),
    );
  }

  /** Of each event its type, the reason of a refusal, and the address. */
  async events(clientId: string): Promise<unknown[][]> {
    const all = await this.database.events.since(clientId, 0);
    return all.map(({ type, data }) => [type, data?.['reason'] ?? null, data?.['address']]);
  }

  private options(knowsCallersAddress: boolean): WorkflowOptions {
    const callbacks = { publicUrl: 'https://controller.example', pins: [] };
    return { ...this.database.options, callbacks, knowsCallersAddress };
  }
}
