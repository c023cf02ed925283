import { InitialSchema1764000000000 } from './1764000000000-initial-schema.migration';
import { ServerReports1764200000000 } from './1764200000000-server-reports.migration';

/** In their order. */
export const migrations = [InitialSchema1764000000000, ServerReports1764200000000];
