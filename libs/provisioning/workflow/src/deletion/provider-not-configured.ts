import type { ProviderType } from '@agent-controller/cloud-port';
import { AppError } from '@agent-controller/kernel';
import type { Failure } from '../steps/step';

/** Where operators put each provider's token (the app's env.ts). */
const TOKEN_VARIABLES: Record<ProviderType, string> = {
  hetzner: 'HETZNER_API_TOKEN',
  'digital-ocean': 'DIGITALOCEAN_API_TOKEN',
};

/** Why a step cannot go on. */
export function notConfiguredFailure(type: ProviderType): Failure {
  return {
    code: 'provider-not-configured',
    message: `This controller has no API token for ${type} any more.`,
    action: `Set ${TOKEN_VARIABLES[type]} on every controller and start them again. Then retry, or delete.`,
  };
}

/** Why a request is refused; nothing was changed. */
export function providerNotConfigured(type: ProviderType, clientId: string): AppError {
  const variable = TOKEN_VARIABLES[type];
  return new AppError(
    'provider-not-configured',
    `This controller has no API token for ${type}, so that nothing can be done about the server, which may be billed. ` +
      `Set ${variable} on every controller, start them again, and repeat the request. To give the server up as it is, ` +
      `send DELETE /api/clients/${clientId}/provisioning?abandon=true&reason=…`,
    { extensions: { clientId, variable } },
  );
}
