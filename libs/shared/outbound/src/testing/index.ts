export { loopbackGuard } from './loopback-guard';
