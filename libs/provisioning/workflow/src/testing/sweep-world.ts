import { CloudProviderRegistry, type CloudServer } from '@agent-controller/cloud-port';
import type { Logger } from '@agent-controller/kernel';
import { randomUUID } from 'node:crypto';
import { CallerKeysService } from '../caller-keys.service';
import { CatalogueService } from '../catalogue/catalogue.service';
import { FirewallRepository } from '../firewall/firewall.repository';
import { InstanceService } from '../instance.service';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { ProvisioningTombstone } from '../provisioning-tombstone.entity';
import { SentinelService } from '../sentinel.service';
import { AdoptedRows } from '../sweep/adopted-rows.service';
import { DatabaseFingerprint } from '../sweep/database-fingerprint';
import { FirewallSweep } from '../sweep/firewall-sweep.service';
import { KeySweep } from '../sweep/key-sweep.service';
import { LateAccess } from '../sweep/late-access.service';
import { OrphanAdoption } from '../sweep/orphan-adoption.service';
import { OrphanKeeper } from '../sweep/orphan-keeper.service';
import { OrphanServer } from '../sweep/orphan-server.entity';
import { OrphanService } from '../sweep/orphan.service';
import { ProviderSweep } from '../sweep/provider-sweep.entity';
import { RowKeeper } from '../sweep/row-keeper.service';
import { ServerPresence } from '../sweep/server-presence.service';
import { SweepActions } from '../sweep/sweep-actions.service';
import { SweepPause } from '../sweep/sweep-pause.service';
import { SweepRepository } from '../sweep/sweep.repository';
import { SweptRows } from '../sweep/swept-rows.repository';
import { Sweeper } from '../sweep/sweeper';
import { UnusedKeys } from '../sweep/unused-keys.repository';
import type { SweepOptions } from '../workflow.options';
import { FakeCloudProvider } from './fake-cloud-provider';
import { WorkflowDatabase } from './workflow-database';

const CREATED = new Date('2026-01-01T00:00:00Z');

/** A sweep with all that belongs to it, on a real database, beside a fake provider and a clock that stands still. */
export class SweepWorld {
  readonly provider = new FakeCloudProvider();
  now = new Date('2026-01-02T00:00:00Z');
  readonly logged: string[] = [];
  readonly sweep: SweepOptions;
  readonly sweeps: SweepRepository;
  readonly presence: ServerPresence;
  readonly firewalls: FirewallRepository;
  readonly callerKeys = new CallerKeysService();
  readonly orphans: OrphanService;
  readonly adoption: OrphanAdoption;
  readonly sweeper: Sweeper;
  instanceId = '';
  sentinelId = '';

  private constructor(readonly database: WorkflowDatabase) {
    const { dataSource, provisionings, clients, events, stepCommit, options } = database;
    const clock = { now: () => this.now };
    const write = (_fields: object, message: string) => void this.logged.push(message);
    const logger: Logger = { debug: () => undefined, info: write, warn: write, error: write };
    const registry = new CloudProviderRegistry([this.provider]);
    const catalogue = new CatalogueService(registry, clock);
    const sentinel = new SentinelService();
    const instances = new InstanceService(dataSource);
    const swept = { sweep: (this.sweep = { ...options.sweep }) };
    const sweptRows = new SweptRows(dataSource);
    this.sweeps = new SweepRepository(dataSource);
    this.firewalls = new FirewallRepository(dataSource, options);
    this.presence = new ServerPresence(provisionings, clients, sentinel, catalogue, events, swept, clock);
    const keeper = new OrphanKeeper(this.sweeps, sweptRows, catalogue, instances, swept, logger);
    const pause = new SweepPause(this.sweeps, new DatabaseFingerprint(dataSource), logger);
    const made = new AdoptedRows(clients, options);
    this.orphans = new OrphanService(
      this.sweeps,
      sweptRows,
      catalogue,
      instances,
      sentinel,
      pause,
      swept,
      clock,
      logger,
    );
    this.adoption = new OrphanAdoption(
      this.orphans,
      this.sweeps,
      sweptRows,
      made,
      new LateAccess(provisionings, clients, made, stepCommit, clock),
      clients,
      catalogue,
      instances,
      sentinel,
      events,
      clock,
      logger,
    );
    this.sweeper = new Sweeper(
      this.sweeps,
      sweptRows,
      registry,
      instances,
      new RowKeeper(sweptRows, this.presence),
      new SweepActions(provisionings, this.sweeps, sweptRows, keeper, events, logger),
      keeper,
      pause,
      new KeySweep(new UnusedKeys(dataSource), instances, this.callerKeys, swept, logger),
      new FirewallSweep(this.firewalls, instances, this.sweeps, { ...options, ...swept }, clock, logger),
      swept,
      clock,
      logger,
    );
  }

  static async create(): Promise<SweepWorld> {
    const world = new SweepWorld(await WorkflowDatabase.create());
    const { instanceId } = await new InstanceService(world.database.dataSource).get();
    world.instanceId = instanceId;
    world.sentinelId = `key-of-agent-controller-${instanceId}`;
    world.provider.keys.add(world.sentinelId);
    return world;
  }

  /** One sweep, some minutes after the last one. @returns the calls that it made */
  async run(minutes = 5): Promise<string[]> {
    this.now = new Date(this.now.getTime() + minutes * 60_000);
    const before = this.provider.calls.length;
    await this.sweeper.run('hetzner', new AbortController().signal);
    return this.provider.calls.slice(before);
  }

  /** A server of ours at the provider. */
  server(id: string, provisioningId: string = randomUUID(), changes: Partial<CloudServer> & { attempt?: number } = {}) {
    const { attempt = 1, ...facts } = changes;
    const owner = { instanceId: this.instanceId, provisioningId, attempt };
    const state = { status: 'running' as const, providerStatus: 'running', publicIpv4: `203.0.113.${id}` };
    return this.provider.add(id, owner, { ...state, createdAt: CREATED, ...facts });
  }

  /** A row as it is once its server, which is at the provider, is known. */
  async row(serverId: string, changes: Partial<ProvisioningReference> = {}): Promise<ProvisioningReference> {
    const row = await this.database.insert({
      phase: 'ready',
      serverId,
      serverName: `server-${serverId}`,
      serverCreatedAt: CREATED,
      createRequestedAt: CREATED,
      serverStatus: 'running',
      publicIp: `203.0.113.${serverId}`,
      sentinelId: this.sentinelId,
      providerMetadata: { providerStatus: 'running', publicIpv4: `203.0.113.${serverId}`, publicIpv6: null },
      ...changes,
    });
    return row;
  }

  async bury(provisioningId: string): Promise<void> {
    const at = { deletedAt: this.now, expiresAt: new Date(this.now.getTime() + 86_400_000) };
    const facts = { clientId: randomUUID(), owner: 'someone', providerType: 'hetzner' as const, attempt: 1 };
    await this.database.dataSource.manager.insert(ProvisioningTombstone, { provisioningId, ...facts, ...at });
  }

  state(): Promise<ProviderSweep> {
    return this.database.dataSource.manager.findOneByOrFail(ProviderSweep, { providerType: 'hetzner' });
  }

  async known(): Promise<Record<string, OrphanServer>> {
    return Object.fromEntries((await this.sweeps.orphans()).map((orphan) => [orphan.serverId, orphan]));
  }

  async notes({ clientId }: Pick<ProvisioningReference, 'clientId'>): Promise<string[]> {
    return (await this.database.events.since(clientId, 0)).map(({ message }) => message);
  }

  dispose(): Promise<void> {
    return this.database.dispose();
  }
}
