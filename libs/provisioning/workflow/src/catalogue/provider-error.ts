import type { CloudError } from '@agent-controller/cloud-port';
import { AppError } from '@agent-controller/kernel';
import { isPassing } from '../steps/cloud-failure';

const DEFAULT_RETRY_SECONDS = 10;

/** What a caller sees when a provider could not answer a question that the caller waits for. */
export function providerError(error: CloudError): AppError {
  const extensions = { providerCode: error.providerCode, providerRequestId: error.requestId };
  const { message } = error;
  if (!isPassing(error)) return new AppError('provider-refused', message, { extensions });
  const retryAfterSeconds = Math.ceil((error.retryAfterMs ?? DEFAULT_RETRY_SECONDS * 1000) / 1000);
  return new AppError('provider-unavailable', message, { extensions, retryAfterSeconds });
}
