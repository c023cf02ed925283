import { columnsOf, quickQuery } from '@agent-controller/database';
import type { DataSource } from 'typeorm';
import { ProvisioningReference } from './provisioning-reference.entity';

/** These columns of many provisionings, without a lock. */
export function readRows<K extends keyof ProvisioningReference & string>(
  dataSource: DataSource,
  ids: readonly string[],
  only: readonly K[],
): Promise<Pick<ProvisioningReference, K>[]> {
  const columns = columnsOf(dataSource, ProvisioningReference, 'row', { only });
  const text = `SELECT ${columns} FROM provisioning_references AS row WHERE id = ANY($1::uuid[])`;
  return quickQuery(dataSource, text, [ids]);
}
