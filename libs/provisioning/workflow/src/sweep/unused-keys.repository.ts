import type { ProviderType } from '@agent-controller/cloud-port';
import { Injectable } from '@nestjs/common';
import { DataSource, In, LessThanOrEqual, Not } from 'typeorm';
import { ProviderSweep } from './provider-sweep.entity';
import { UnusedKey } from './unused-key.entity';

/** The table `unused_keys`, and which keys rows name. */
@Injectable()
export class UnusedKeys {
  constructor(private readonly dataSource: DataSource) {}

  /** @returns false when a later sweep has taken over */
  async beginRound(providerType: ProviderType, runId: string, at: Date): Promise<boolean> {
    const { affected } = await this.dataSource.manager.update(
      ProviderSweep,
      { providerType, runId },
      { keysCheckedAt: at },
    );
    return affected === 1;
  }

  /** Of every row, whatever its phase: a retry needs its keys again. */
  async publicKeysOfRows(providerType: ProviderType): Promise<string[]> {
    const rows: { key: string }[] = await this.dataSource.query(
      `SELECT DISTINCT key ->> 'publicKey' AS key FROM provisioning_references
         CROSS JOIN LATERAL jsonb_array_elements(configuration -> 'sshKeys') AS key
       WHERE provider_type = $1 AND jsonb_typeof(configuration -> 'sshKeys') = 'array' AND key ? 'publicKey'`,
      [providerType],
    );
    return rows.map(({ key }) => key);
  }

  /** Notes which keys are unused now, and forgets all others. @returns ids of those unused for long enough */
  async note(
    providerType: ProviderType,
    keys: readonly { id: string; name: string }[],
    now: Date,
    graceMs: number,
  ): Promise<Set<string>> {
    const { manager } = this.dataSource;
    const ids = keys.map(({ id }) => id);
    await manager.delete(UnusedKey, { providerType, keyId: Not(In(ids)) });
    const values = keys.map(({ id, name }) => ({ providerType, keyId: id, name, unusedSince: now }));
    if (values.length === 0) return new Set();
    await manager.createQueryBuilder().insert().into(UnusedKey).values(values).orIgnore().execute();
    const unusedSince = LessThanOrEqual(new Date(now.getTime() - graceMs));
    const old = await manager.findBy(UnusedKey, { providerType, unusedSince });
    return new Set(old.map(({ keyId }) => keyId));
  }

  async forget(providerType: ProviderType, keyId: string): Promise<void> {
    await this.dataSource.manager.delete(UnusedKey, { providerType, keyId });
  }
}
