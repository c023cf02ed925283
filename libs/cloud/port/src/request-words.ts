import type { CloudError } from './cloud-error';
import type { RequestOutcome } from './request-gate';

/** `operation` of a request: ids are left out of its path. */
export function operationName(method: string, path: string): string {
  return `${method} ${path.replace(/\/(\d+|[0-9a-f]{2}(:[0-9a-f]{2})+)(?=\/|$)/g, '/{id}')}`;
}

/** Why no answer came, of the error that it became. */
export function silenceOf({ kind, providerCode = '' }: CloudError): RequestOutcome['silence'] {
  if (kind === 'outcome-unknown') return 'outcome-unknown';
  return providerCode === 'ETIMEDOUT' || providerCode === 'ECONNABORTED' ? 'timeout' : 'no-answer';
}
