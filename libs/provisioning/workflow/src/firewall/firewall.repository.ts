import type { FirewallSpec, ManagedFirewall, ProviderType } from '@agent-controller/cloud-port';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { visibilityGraceMs, WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { ProviderFirewall } from './provider-firewall.entity';

/** Orders at the same moment write once. Far shorter than anything that is not in use must be old. */
const USE_IS_FRESH_MS = 1_000;

type Named = Pick<FirewallSpec, 'name' | 'inbound'>;

/** The table `provider_firewalls`. A use and a removal of the same firewall exclude each other by its row. */
@Injectable()
export class FirewallRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(WORKFLOW_OPTIONS) private readonly options: Pick<WorkflowOptions, 'providerTimeoutMs'>,
  ) {}

  private get manager(): EntityManager {
    return this.dataSource.manager;
  }

  /** Says that an order is about to name it. Where `removingSince` is set in the answer, it may not be used. */
  async use(providerType: ProviderType, { name, inbound }: Named, at: Date): Promise<ProviderFirewall> {
    const known = await this.manager.findOneBy(ProviderFirewall, { providerType, name });
    if (known && !known.removingSince && known.usedAt.getTime() > at.getTime() - USE_IS_FRESH_MS) return known;
    await this.manager.query(
      `INSERT INTO provider_firewalls AS known (provider_type, name, inbound, used_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (provider_type, name) DO UPDATE SET inbound = $3, used_at = GREATEST(known.used_at, $4),
         removing_since = CASE WHEN known.removing_since > $5 THEN known.removing_since END`,
      [providerType, name, JSON.stringify(inbound), at, this.removalsOver(at)],
    );
    return this.manager.findOneByOrFail(ProviderFirewall, { providerType, name });
  }

  /** The provider has it. @returns false when a sweep has begun to take it away: it may not be used */
  async found(
    providerType: ProviderType,
    name: string,
    { key, sentinelId }: { key: string; sentinelId: string },
    at: Date,
  ): Promise<boolean> {
    const [, count]: [unknown, number] = await this.manager.query(
      `UPDATE provider_firewalls SET key = $3, sentinel_id = $4, checked_at = $5, used_at = GREATEST(used_at, $5)
       WHERE provider_type = $1 AND name = $2 AND removing_since IS NULL`,
      [providerType, name, key, sentinelId, at],
    );
    return count === 1;
  }

  /** The provider may not have it any more. */
  async forget(providerType: ProviderType, name: string): Promise<void> {
    await this.manager.update(ProviderFirewall, { providerType, name }, { key: null, checkedAt: null });
  }

  all(providerType: ProviderType): Promise<ProviderFirewall[]> {
    return this.manager.findBy(ProviderFirewall, { providerType });
  }

  /** A firewall that was listed and has no row: it is old enough to go when it has had one for long enough. */
  async noteListed(providerType: ProviderType, { name, inbound }: ManagedFirewall, at: Date): Promise<void> {
    const values = { providerType, name, inbound: inbound ?? [], usedAt: at };
    await this.manager.createQueryBuilder().insert().into(ProviderFirewall).values(values).orIgnore().execute();
  }

  /**
   * Begins to take it away, unless it was used after `unusedSince` or a provisioning names it.
   * @returns whether it may be removed now
   */
  async claimRemoval(providerType: ProviderType, name: string, unusedSince: Date, at: Date): Promise<boolean> {
    const [, count]: [unknown, number] = await this.manager.query(
      `UPDATE provider_firewalls SET removing_since = $4, key = NULL, checked_at = NULL
       WHERE provider_type = $1 AND name = $2 AND used_at < $3 AND (removing_since IS NULL OR removing_since < $5)
         AND NOT EXISTS (
           SELECT 1 FROM provisioning_references
           WHERE provisioning_references.provider_type = $1 AND provisioning_references.firewall_name = $2
         )`,
      [providerType, name, unusedSince, at, this.removalsOver(at)],
    );
    return count === 1;
  }

  /** It is gone. */
  async removed(providerType: ProviderType, name: string, claimedAt: Date): Promise<void> {
    await this.manager.delete(ProviderFirewall, { providerType, name, removingSince: claimedAt });
  }

  /** It surely was not removed. */
  async keepAfterAll(providerType: ProviderType, name: string, claimedAt: Date): Promise<void> {
    const claimed = { providerType, name, removingSince: claimedAt };
    await this.manager.update(ProviderFirewall, claimed, { removingSince: null });
  }

  /** Rows of firewalls that are gone and that nothing has used for long. */
  async forgetGone(providerType: ProviderType, present: readonly string[], unusedSince: Date, at: Date): Promise<void> {
    await this.manager.query(
      `DELETE FROM provider_firewalls WHERE provider_type = $1 AND name <> ALL ($2) AND used_at < $3
         AND (removing_since IS NULL OR removing_since < $4)`,
      [providerType, present, unusedSince, this.removalsOver(at)],
    );
  }

  /** When removals that have begun before cannot take effect any more: sent late, lasting long, and showing late. */
  private removalsOver(at: Date): Date {
    return new Date(at.getTime() - this.options.providerTimeoutMs - visibilityGraceMs(this.options));
  }
}
