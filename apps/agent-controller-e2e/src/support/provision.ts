import type { ProvisionedClientView, ProvisioningInfoView } from '@agent-controller/contracts';
import type { Api, Answer } from './api';
import { until } from './until';

const PATH = '/api/clients/provisioning/provision';
let names = 0;

/** A sound request, with changes. Names are unique. */
export function provisionBody(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    providerType: 'hetzner',
    serverType: 'cx33',
    name: `client-${++names}`,
    authenticationType: 'api_key',
    ...changes,
  };
}

export function provision(
  api: Api,
  changes: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Answer<ProvisionedClientView>> {
  return api.post<ProvisionedClientView>(PATH, provisionBody(changes), headers);
}

export async function info(api: Api, id: string): Promise<ProvisioningInfoView> {
  return (await api.get<ProvisioningInfoView>(`/api/clients/${id}/provisioning/info`)).body;
}

export function untilPhase(api: Api, id: string, phase: string, limitMs?: number): Promise<ProvisioningInfoView> {
  return until(
    () => info(api, id),
    (seen) => seen.phase === phase || (seen.phase === 'failed' && phase !== 'deleting'),
    limitMs,
  );
}
