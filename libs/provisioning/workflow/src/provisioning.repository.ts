import { Client, type ClientWithoutCredentials } from '@agent-controller/clients';
import { publicAddress, type CloudServer } from '@agent-controller/cloud-port';
import { columnsOf, entityOf, quickQuery, withPrefix } from '@agent-controller/database';
import { SecretBox, type Caller, type SealedPlace } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ProvisioningReference } from './provisioning-reference.entity';
import type { ProvisioningSecrets } from './provisioning.types';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

/** What is saved before a create is sent. */
interface AnnouncedOrder {
  sentinelId: string;
  firewallName: string | null;
  at: Date;
  callbackTokenHash: string | null;
  bootstrapTokenHash: string | null;
}

/** Columns for the work alone: who is shown a provisioning needs none of them. */
const OF_THE_WORK = [
  ...(['sealedSecrets', 'callbackTokenHash', 'bootstrapTokenHash', 'bootstrapKey', 'bootstrapSentAt'] as const),
  ...(['leaseOwner', 'leaseUntil', 'nudges', 'consecutiveErrors', 'healthDueAt', 'lastEventSeq'] as const),
  ...(['pausedSince', 'pausedMs', 'pausedMsBeforePhase', 'isKeyWithheld'] as const),
] as const;

/** A provisioning as it is shown: nothing that must be opened. */
export interface ProvisioningView {
  client: ClientWithoutCredentials;
  reference: Omit<ProvisioningReference, (typeof OF_THE_WORK)[number]>;
}

/** Both as of one moment. */
export interface WithClient {
  reference: ProvisioningReference;
  client: Client;
}

/** The table `provisioning_references`. */
@Injectable()
export class ProvisioningRepository {
  #view?: string;
  #both?: string;

  constructor(
    private readonly dataSource: DataSource,
    private readonly secretBox: SecretBox,
    @Inject(WORKFLOW_OPTIONS) private readonly options: Pick<WorkflowOptions, 'leaseMs'>,
  ) {}

  /** Short, since another controller goes on where a dead one stopped; a live one renews it while a step runs. */
  get leaseMs(): number {
    return this.options.leaseMs;
  }

  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.dataSource.transaction(work);
  }

  findByClient(clientId: string, manager = this.manager): Promise<ProvisioningReference | null> {
    return manager.findOneBy(ProvisioningReference, { clientId });
  }

  /** What callers see of a provisioning, by one statement. */
  async view(clientId: string): Promise<ProvisioningView | null> {
    this.#view ??= `SELECT ${[
      columnsOf(this.dataSource, Client, 'client', { prefix: 'client.', without: ['sealedCredentials'] }),
      columnsOf(this.dataSource, ProvisioningReference, 'reference', { without: OF_THE_WORK }),
    ].join(', ')} FROM clients AS client
      JOIN provisioning_references AS reference ON reference.client_id = client.id WHERE client.id = $1`;
    const [row] = await quickQuery<Record<string, unknown>>(this.dataSource, this.#view, [clientId]);
    if (!row) return null;
    return { client: withPrefix(row, 'client.'), reference: row as unknown as ProvisioningView['reference'] };
  }

  find(id: string, manager = this.manager): Promise<ProvisioningReference | null> {
    return manager.findOneBy(ProvisioningReference, { id });
  }

  /** A provisioning and its client, by one statement. */
  async findWithClient(id: string): Promise<WithClient | null> {
    const [row] = await quickQuery<Record<string, unknown>>(
      this.dataSource,
      `SELECT ${this.bothColumns} FROM provisioning_references AS reference
       JOIN clients AS client ON client.id = reference.client_id WHERE reference.id = $1`,
      [id],
    );
    return row ? both(row) : null;
  }

  lock(id: string, manager: EntityManager): Promise<ProvisioningReference | null> {
    return manager.findOne(ProvisioningReference, { where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  /**
   * Takes the row's lease, unless another holds it, or the row changes at this moment: the statement would wait for that, and
   * then have the new row beside the old client. Time is the database's.
   * @returns the rows as they are then
   */
  async acquireLease(id: string, owner: string): Promise<WithClient | null> {
    const [row] = await quickQuery<Record<string, unknown>>(
      this.dataSource,
      `UPDATE provisioning_references AS reference
       SET lease_owner = $2, lease_until = now() + $3 * interval '1 millisecond'
       FROM clients AS client, provisioning_references AS seen
       WHERE reference.id = $1 AND client.id = reference.client_id AND seen.id = $1 AND seen.version = reference.version
         AND (reference.lease_owner IS NULL OR reference.lease_until < now())
       RETURNING ${this.bothColumns}`,
      [id, owner, this.leaseMs],
    );
    return row ? both(row) : null;
  }

  private get bothColumns(): string {
    return (this.#both ??= [
      columnsOf(this.dataSource, ProvisioningReference, 'reference', { prefix: 'reference.' }),
      columnsOf(this.dataSource, Client, 'client', { prefix: 'client.' }),
    ].join(', '));
  }

  /** @returns false when the lease was lost: the step must not write any more */
  async renewLease(id: string, owner: string): Promise<boolean> {
    const renewed = await quickQuery(
      this.dataSource,
      `UPDATE provisioning_references SET lease_until = now() + $3 * interval '1 millisecond'
       WHERE id = $1 AND lease_owner = $2 AND lease_until >= now() RETURNING id`,
      [id, owner, this.leaseMs],
    );
    return renewed.length === 1;
  }

  async releaseLease(id: string, owner: string): Promise<void> {
    await quickQuery(
      this.dataSource,
      `UPDATE provisioning_references SET lease_owner = NULL, lease_until = NULL WHERE id = $1 AND lease_owner = $2`,
      [id, owner],
    );
  }

  /** Whether this lease and version still stand, asked under the row's lock with the database's clock. */
  async lockForCommit(
    id: string,
    seen: { version: number; leaseOwner: string },
    manager: EntityManager,
  ): Promise<ProvisioningReference | null> {
    const row = await this.lock(id, manager);
    if (!row || row.version !== seen.version || row.leaseOwner !== seen.leaseOwner) return null;
    const [clock]: { live: boolean }[] = await manager.query(
      `SELECT lease_until >= clock_timestamp() AS live FROM provisioning_references WHERE id = $1`,
      [id],
    );
    return clock?.live ? row : null;
  }

  /**
   * Notes, before a create is sent, that a server may exist from now on, and renews the lease.
   * @param at by the clock of the controllers, which measure the time since then
   * The server that is ordered may fetch its secret files with a key of its own, whoever did so before.
   * @returns false when the lease was lost: nothing may be sent
   */
  async markCreateRequested(
    id: string,
    seen: { version: number; leaseOwner: string },
    { sentinelId, firewallName, at, callbackTokenHash, bootstrapTokenHash }: AnnouncedOrder,
  ): Promise<boolean> {
    const announced = await quickQuery(
      this.dataSource,
      `UPDATE provisioning_references SET create_requested_at = $5, sentinel_id = $4, callback_token_hash = $6,
         lease_until = now() + $7 * interval '1 millisecond',
         bootstrap_token_hash = $8, bootstrap_key = NULL, bootstrap_sent_at = NULL,
         firewall_name = COALESCE($9, firewall_name)
       WHERE id = $1 AND version = $2 AND lease_owner = $3 AND lease_until >= now() AND intent = 'present' RETURNING id`,
      [
        id,
        seen.version,
        seen.leaseOwner,
        sentinelId,
        at,
        callbackTokenHash,
        this.leaseMs,
        bootstrapTokenHash,
        firewallName,
      ],
    );
    return announced.length === 1;
  }

  /** Saves what the provider said of a server. Nobody's lease is needed: only the observer writes these columns. */
  async saveObservation(id: string, server: CloudServer, at: Date, manager = this.manager): Promise<void> {
    await manager.update(
      ProvisioningReference,
      { id, serverId: server.id },
      { ...observedColumns(server), observedAt: at, missingSince: null },
    );
  }

  /**
   * Whether a client's provisioning came to its end within the last 24 hours, by deletion or by being given up. The sweep
   * keeps tombstones for longer than they say.
   */
  async isBuried(clientId: string, caller: Caller, now: Date): Promise<boolean> {
    const [row]: { buried: boolean }[] = await this.manager.query(
      `SELECT EXISTS (SELECT 1 FROM provisioning_tombstones WHERE client_id = $1 AND (owner = $2 OR $4) AND expires_at > $3)
         OR EXISTS (
           SELECT 1 FROM abandoned_servers JOIN provisioning_events USING (provisioning_id)
           WHERE abandoned_servers.client_id = $1 AND (owner = $2 OR $4) AND expires_at > $3
         ) AS buried`,
      [clientId, caller.subject, now, caller.role === 'admin'],
    );
    return row?.buried === true;
  }

  /** Counts a wake-up, so that a step which is running now runs again. */
  async nudge(id: string, manager: EntityManager): Promise<void> {
    await manager.increment(ProvisioningReference, { id }, 'nudges', 1);
  }

  sealSecrets(id: string, secrets: ProvisioningSecrets): string {
    return this.secretBox.seal(JSON.stringify(secrets), place(id));
  }

  openSecrets(reference: ProvisioningReference): ProvisioningSecrets | null {
    if (reference.sealedSecrets === null) return null;
    return JSON.parse(this.secretBox.open(reference.sealedSecrets, place(reference.id))) as ProvisioningSecrets;
  }
}

function both(row: Record<string, unknown>): WithClient {
  return { reference: entityOf(ProvisioningReference, row, 'reference.'), client: entityOf(Client, row, 'client.') };
}

/** What a row holds of a server that becomes its own. */
export function serverColumns(server: CloudServer) {
  return {
    ...observedColumns(server),
    serverId: server.id,
    serverName: server.name,
    serverCreatedAt: server.createdAt,
  };
}

/** The columns that mirror the provider's view of a server. */
export function observedColumns(server: CloudServer) {
  return {
    serverStatus: server.status,
    publicIp: publicAddress(server),
    privateIp: server.privateIpv4,
    providerMetadata: {
      providerStatus: server.providerStatus,
      publicIpv4: server.publicIpv4,
      publicIpv6: server.publicIpv6,
      // Servers from before there were any have none.
      ...(server.firewalls.length > 0 ? { firewalls: server.firewalls.join(', ') } : {}),
      ...(server.lookGroup === undefined ? {} : { lookGroup: server.lookGroup }),
    },
  };
}

function place(id: string): SealedPlace {
  return { table: 'provisioning_references', column: 'sealed_secrets', rowId: id };
}
