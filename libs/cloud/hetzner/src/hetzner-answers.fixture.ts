import { json, type ScriptedAnswer } from '@agent-controller/cloud-port/testing';

// Answers of Hetzner Cloud as they are today: without `datacenter`.

export const owner = {
  instanceId: '7c2a3c0e-2f5b-4b0a-9a55-000000000001',
  provisioningId: '7c2a3c0e-2f5b-4b0a-9a55-000000000002',
  attempt: 1,
};

export const labels = {
  'managed-by': 'agent-controller',
  'agent-controller/instance': owner.instanceId,
  'agent-controller/provisioning': owner.provisioningId,
  'agent-controller/attempt': '1',
};

export function server(id: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id,
    name: `web-${id}`,
    status: 'running',
    created: '2026-08-01T10:00:00+00:00',
    labels,
    location: { id: 1, name: 'fsn1', description: 'Falkenstein DC Park 1', country: 'DE', city: 'Falkenstein' },
    server_type: { id: 22, name: 'cx23' },
    image: { id: 7, name: 'debian-13', description: 'Debian 13' },
    public_net: {
      ipv4: { id: 1, ip: '203.0.113.7', blocked: false, dns_ptr: 'x' },
      ipv6: { id: 2, ip: '2001:db8:0:3df1::/64', blocked: false, dns_ptr: [] },
      floating_ips: [],
      firewalls: [{ id: 7, status: 'applied' }],
    },
    private_net: [],
    ...more,
  };
}

export function serverType(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const deprecation = null;
  return {
    id: 1,
    name,
    description: name.toUpperCase(),
    cores: 2,
    memory: 4.0,
    disk: 40,
    architecture: 'x86',
    cpu_type: 'shared',
    storage_type: 'local',
    deprecated: false,
    deprecation,
    locations: [
      { id: 1, name: 'fsn1', available: true, recommended: true, deprecation },
      { id: 3, name: 'hel1', available: false, recommended: false, deprecation },
    ],
    prices: [price('fsn1', '4.1531000000000000', '0.0066640000000000'), price('hel1', '3.5000', '0.0056')],
    ...more,
  };
}

export function price(location: string, monthly: string, hourly: string): Record<string, unknown> {
  const amount = (gross: string) => ({ net: String(Number(gross) / 1.19), gross });
  return { location, price_monthly: amount(monthly), price_hourly: amount(hourly), included_traffic: 0 };
}

export const pricing = {
  pricing: {
    currency: 'EUR',
    vat_rate: '19.00',
    primary_ips: [
      { type: 'ipv6', prices: [price('fsn1', '0.00', '0.00')] },
      { type: 'ipv4', prices: [price('fsn1', '0.5950', '0.0009'), price('hel1', '0.7140', '0.0010')] },
    ],
  },
};

export function page(key: string, entries: unknown[], nextPage: number | null = null): ScriptedAnswer {
  const pagination = { page: 1, per_page: 50, previous_page: null, next_page: nextPage, last_page: 2 };
  return json({ [key]: entries, meta: { pagination } });
}

export function error(status: number, code: string, message: string, details: unknown = {}): ScriptedAnswer {
  return json({ error: { code, message, details } }, status, { 'x-correlation-id': 'corr-1' });
}
