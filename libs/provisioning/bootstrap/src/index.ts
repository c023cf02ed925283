export { RESERVED_VARIABLES } from './agent-environment';
export type {
  AgentAuthentication,
  BootstrapSpec,
  Callback,
  ContainerImages,
  GitAccess,
  ServerSecrets,
  ServerTls,
} from './bootstrap-spec';
export { maskedSpec } from './masked-spec';
export { createServerSecrets } from './server-secrets';
export { createServerTls } from './server-tls';
export { renderUserData, userDataBytes } from './user-data';
export { STATUS_PATH } from './status-report';
