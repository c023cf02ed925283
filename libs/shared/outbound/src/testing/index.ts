export { loopbackGuard } from './loopback-guard';
export { OUTDATED_TLS, TlsTrap } from './tls-trap';
