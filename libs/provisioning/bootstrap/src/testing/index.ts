export { nastyValue } from './nasty-values';
