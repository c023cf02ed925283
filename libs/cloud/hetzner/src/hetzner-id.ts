import { CloudError } from '@agent-controller/cloud-port';

/** Nothing but a number may come into a path: an empty id would address all servers. */
export function numericId(id: string): number {
  if (!/^[1-9]\d*$/.test(id) || !Number.isSafeInteger(Number(id)))
    throw new CloudError('invalid', `Hetzner Cloud: "${id.slice(0, 40)}" is no id`);
  return Number(id);
}
