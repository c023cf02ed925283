export { RESERVED_VARIABLES } from './agent-environment';
export type {
  AgentAuthentication,
  BootstrapSpec,
  Callback,
  ContainerImages,
  GitAccess,
  Redemption,
  ServerSecrets,
  ServerTls,
} from './bootstrap-spec';
export { maskedSpec } from './masked-spec';
export { createServerSecrets } from './server-secrets';
export { createServerTls, spkiSha256 } from './server-tls';
export { REDEMPTION_DOMAIN } from './redemption-script';
export { secretFiles, type ServerFile } from './server-files';
export { renderUserData, userDataBytes } from './user-data';
export { STATUS_PATH } from './status-report';
