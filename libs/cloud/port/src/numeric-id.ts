import { CloudError } from './cloud-error';

/**
 * Nothing but a number may come into a path: an empty id would address all servers.
 * @param provider its display name, for the message
 * @throws CloudError `invalid`
 */
export function numericId(id: string, provider: string): number {
  if (!/^[1-9]\d*$/.test(id) || !Number.isSafeInteger(Number(id))) {
    throw new CloudError('invalid', `${provider}: "${id.slice(0, 40)}" is no id`);
  }
  return Number(id);
}
