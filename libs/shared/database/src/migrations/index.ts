import { InitialSchema1764000000000 } from './1764000000000-initial-schema.migration';
import { AgentHealth1764100000000 } from './1764100000000-agent-health.migration';
import { ServerReports1764200000000 } from './1764200000000-server-reports.migration';
import { IdempotencyKeys1764300000000 } from './1764300000000-idempotency-keys.migration';
import { ProviderBudgets1764400000000 } from './1764400000000-provider-budgets.migration';
import { Sweep1764500000000 } from './1764500000000-sweep.migration';
import { DeletionPromise1764600000000 } from './1764600000000-deletion-promise.migration';
import { Access1764800000000 } from './1764800000000-access.migration';
import { BootstrapRedemption1764820000000 } from './1764820000000-bootstrap-redemption.migration';
import { EncryptionCanary1764900000000 } from './1764900000000-encryption-canary.migration';
import { ProviderFirewalls1764910000000 } from './1764910000000-provider-firewalls.migration';
import { Reads1764930000000 } from './1764930000000-reads.migration';
import { TraceParent1764940000000 } from './1764940000000-trace-parent.migration';
import { Watch1764950000000 } from './1764950000000-watch.migration';
import { Retention1764960000000 } from './1764960000000-retention.migration';

/** In their order. */
export const migrations = [
  InitialSchema1764000000000,
  AgentHealth1764100000000,
  ServerReports1764200000000,
  IdempotencyKeys1764300000000,
  ProviderBudgets1764400000000,
  Sweep1764500000000,
  DeletionPromise1764600000000,
  Access1764800000000,
  BootstrapRedemption1764820000000,
  EncryptionCanary1764900000000,
  ProviderFirewalls1764910000000,
  Reads1764930000000,
  TraceParent1764940000000,
  Watch1764950000000,
  Retention1764960000000,
];
