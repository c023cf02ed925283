import { Client, ClientRepository } from '@agent-controller/clients';
import { CloudProviderRegistry } from '@agent-controller/cloud-port';
import { dataSourceOptions } from '@agent-controller/database';
import { createTestDatabase } from '@agent-controller/database/testing';
import { SecretBox } from '@agent-controller/kernel';
import { randomBytes, randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { CrowdCommit } from '../crowd-commit';
import { EventLog } from '../event-log';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { WORKFLOW_ENTITIES } from '../provisioning-workflow.module';
import { ProvisioningRepository } from '../provisioning.repository';
import type { ProvisioningSecrets } from '../provisioning.types';
import { QuickCommit } from '../quick-commit';
import { StepCommit } from '../step-commit.service';
import type { WorkflowOptions } from '../workflow.options';
import { FakeCloudProvider } from './fake-cloud-provider';

const DAY_MS = 86_400_000;

/** The workflow's tables in a real PostgreSQL, for tests. */
export class WorkflowDatabase {
  readonly provisionings: ProvisioningRepository;
  readonly clients: ClientRepository;
  readonly events: EventLog;
  readonly stepCommit: StepCommit;
  readonly crowd: CrowdCommit;
  /** What the crowd's commit complains of. */
  readonly logger = { debug: jest.fn(), info: jest.fn(), warn: jest.fn(), error: jest.fn() };

  private constructor(
    readonly dataSource: DataSource,
    readonly secretBox: SecretBox,
    readonly options: WorkflowOptions,
    private readonly drop: () => Promise<void>,
  ) {
    this.provisionings = new ProvisioningRepository(dataSource, secretBox, options);
    this.clients = new ClientRepository(dataSource, secretBox);
    this.events = new EventLog(dataSource);
    this.stepCommit = new StepCommit(
      this.provisionings,
      this.clients,
      this.events,
      new QuickCommit(dataSource),
      options,
    );
    const providers = new CloudProviderRegistry([new FakeCloudProvider()]);
    this.crowd = new CrowdCommit(dataSource, providers, options, this.logger);
  }

  static async create(): Promise<WorkflowDatabase> {
    const { url, drop } = await createTestDatabase();
    const entities = [Client, ...WORKFLOW_ENTITIES];
    const dataSource = new DataSource(dataSourceOptions({ url, poolSize: 5, applicationName: 'test', entities }));
    await dataSource.initialize();
    return new WorkflowDatabase(dataSource, new SecretBox([randomBytes(32)]), workflowOptions(url), drop);
  }

  /** A client and its provisioning in the first phase, with changes. */
  async insert(changes: Partial<ProvisioningReference> = {}): Promise<ProvisioningReference> {
    const clientId = randomUUID();
    const now = new Date();
    await this.clients.insert(
      Object.assign(new Client(), {
        id: clientId,
        owner: 'someone',
        name: `client-${clientId.slice(0, 8)}`,
        agentWsPort: 8080,
        authenticationType: 'api_key' as const,
        isAutoProvisioned: true,
        sealedCredentials: this.clients.sealCredentials(clientId, { type: 'api_key', apiKey: 'the-api-key' }),
      }),
    );
    const id = changes.id ?? randomUUID();
    await this.dataSource.manager.insert(ProvisioningReference, {
      id,
      clientId,
      providerType: 'hetzner',
      serverType: 'cx23',
      location: 'nbg1',
      image: 'debian-13',
      phase: 'creating-server',
      phaseSince: now,
      attemptSince: now,
      configuration: {} as ProvisioningReference['configuration'],
      sealedSecrets: this.provisionings.sealSecrets(id, {} as ProvisioningSecrets),
      ...changes,
    });
    return this.get(id);
  }

  async get(id: string): Promise<ProvisioningReference> {
    return this.dataSource.manager.findOneByOrFail(ProvisioningReference, { id });
  }

  async jobs(): Promise<{ key: string; task: string }[]> {
    return this.dataSource.query('SELECT key, task_identifier AS task FROM graphile_worker.jobs ORDER BY id');
  }

  /** Refuses transactions that changed a table, at the very end: as a connection that is cut while it commits. */
  async refuseCommits(table: string): Promise<{ end: () => Promise<void> }> {
    await this.dataSource.query(
      `CREATE FUNCTION refuse_commit() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'the commit is refused by the test'; END $$`,
    );
    await this.dataSource.query(
      `CREATE CONSTRAINT TRIGGER refuse_commit AFTER INSERT OR UPDATE ON ${table}
         DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_commit()`,
    );
    return { end: () => this.dataSource.query('DROP FUNCTION refuse_commit CASCADE') };
  }

  /** Waits until so many connections of this database wait for a lock. */
  async untilWaiting(count: number): Promise<void> {
    const question = `SELECT count(*)::integer AS waiting FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    for (;;) {
      const [seen]: { waiting: number }[] = await this.dataSource.query(question);
      if ((seen?.waiting ?? 0) >= count) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async dispose(): Promise<void> {
    await this.dataSource.destroy();
    await this.drop();
  }
}

function workflowOptions(directDatabaseUrl: string): WorkflowOptions {
  return {
    images: { agentManager: 'agent-manager', postgres: 'postgres', proxy: 'caddy' },
    serverImages: { hetzner: 'debian-13', 'digital-ocean': 'debian-13-x64' },
    phaseTimeoutMs: {
      'creating-server': 1_200_000,
      booting: 600_000,
      installing: 900_000,
      starting: 900_000,
    },
    callbacks: null,
    knowsCallersAddress: false,
    provisioningTimeoutMs: 60_000,
    controllerCidrs: [],
    keycloak: {},
    directDatabaseUrl,
    providerTimeoutMs: 30_000,
    leaseMs: 10_000,
    heartbeatMs: 5_000,
    jobConcurrency: 5,
    agentConnections: 50,
    healthCheckIntervalMs: 60_000,
    sweep: {
      intervalMs: 300_000,
      orphanPolicy: 'report',
      orphanGraceMs: 3_600_000,
      lostAfterMs: 300_000,
      keyIntervalMs: 3_600_000,
    },
    failedSecretsRetentionMs: DAY_MS,
    tombstoneRetentionMs: DAY_MS,
    idempotencyRetentionMs: DAY_MS,
    failedJobRetentionMs: DAY_MS,
    eventsPerProvisioning: 100,
  };
}
