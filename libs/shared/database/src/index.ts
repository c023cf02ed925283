export { dataSourceOptions, type DatabaseOptions } from './data-source.options';
export { DATABASE_PATIENCE_MS, DatabaseClient } from './database-client';
export { createPool, openPools, type PoolSettings } from './database-pool';
export { isDatabaseAway } from './database-trouble';
export { migrations } from './migrations';
export {
  columnsOf,
  entityOf,
  insertOf,
  quickQuery,
  recordOf,
  updateFrom,
  updateOf,
  withPrefix,
  type Fragment,
} from './quick-query';
export { EncryptionCanary } from './sealing/encryption-canary.entity';
export { EncryptionCanaryService } from './sealing/encryption-canary.service';
export { KeyRotation, type RotationReport } from './sealing/key-rotation';
export { SealedValues, type SealedCount } from './sealing/sealed-values';
export { WrongEncryptionKeysError } from './sealing/wrong-encryption-keys.error';
