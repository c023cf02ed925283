export type {
  AgentAuthentication,
  BootstrapSpec,
  ContainerImages,
  GitAccess,
  ServerSecrets,
  ServerTls,
} from './bootstrap-spec';
