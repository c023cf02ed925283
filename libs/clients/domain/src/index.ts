export type { AgentCredentials } from './agent-credentials';
export { Client, type AgentConfig, type AuthenticationType } from './client.entity';
export { ClientRepository, type ClientCursor } from './client.repository';
