export type { AgentCredentials } from './agent-credentials';
export { HEALTHS, NO_HEALTH, type Health } from './client-health';
export { Client, type AgentConfig, type AuthenticationType } from './client.entity';
export { ClientIdPipe } from './client-id.pipe';
export { toClientView, toHealthView, toTlsView } from './client.mapper';
export { ClientRepository, type ClientCursor, type ClientWithoutCredentials } from './client.repository';
export {
  ClientService,
  clientProtected,
  nameTaken,
  unlessTaken,
  type ClientChanges,
  type ClientPage,
  type ClientSearch,
  type NewClient,
} from './client.service';
export { forbiddenUrls } from './forbidden-urls';
export { ClientsModule } from './clients.module';
