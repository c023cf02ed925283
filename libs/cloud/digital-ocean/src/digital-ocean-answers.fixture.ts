import { json, type ScriptedAnswer } from '@agent-controller/cloud-port/testing';

export const owner = {
  instanceId: '7c2a3c0e-2f5b-4b0a-9a55-000000000001',
  provisioningId: '7c2a3c0e-2f5b-4b0a-9a55-000000000002',
  attempt: 1,
};

export const tags = [
  'agent-controller',
  `ac-instance:${owner.instanceId}`,
  `ac-provisioning:${owner.provisioningId}`,
  'ac-attempt:1',
];

export const networks = {
  v4: [
    { ip_address: '10.110.0.2', netmask: '255.255.240.0', gateway: '', type: 'private' },
    { ip_address: '203.0.113.7', netmask: '255.255.240.0', gateway: '203.0.113.1', type: 'public' },
  ],
  v6: [{ ip_address: '2001:db8::7', netmask: 64, gateway: '2001:db8::1', type: 'public' }],
};

export function droplet(id: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id,
    name: `web-${id}`,
    status: 'active',
    created_at: '2026-08-01T10:00:00Z',
    size_slug: 's-1vcpu-1gb',
    region: { slug: 'fra1', name: 'Frankfurt 1', available: true, features: [], sizes: [] },
    image: { id: 7, slug: 'debian-13-x64', name: '13 x64' },
    tags,
    networks,
    ...more,
  };
}

export function size(slug: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    slug,
    description: 'Basic',
    vcpus: 1,
    memory: 512,
    disk: 10,
    transfer: 0.5,
    price_monthly: 4,
    price_hourly: 0.00595,
    available: true,
    regions: ['fra1', 'nyc1'],
    ...more,
  };
}

export const region = (slug: string, name: string, available = true) => ({
  slug,
  name,
  available,
  features: [],
  sizes: [],
});

export function page(key: string, entries: unknown[], next?: string): ScriptedAnswer {
  const links = next ? { pages: { next, last: next } } : {};
  return json({ [key]: entries, links, meta: { total: entries.length } });
}

export function error(status: number, id: string, message: string): ScriptedAnswer {
  return json({ id, message, request_id: 'req-1' }, status);
}
