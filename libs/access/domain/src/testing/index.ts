export { AUDIENCE, OpenIdProvider } from './openid-provider';
