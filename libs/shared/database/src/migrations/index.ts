import { InitialSchema1764000000000 } from './1764000000000-initial-schema.migration';
import { AgentHealth1764100000000 } from './1764100000000-agent-health.migration';

/** In their order. */
export const migrations = [InitialSchema1764000000000, AgentHealth1764100000000];
