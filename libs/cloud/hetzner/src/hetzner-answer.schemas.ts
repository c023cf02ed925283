import { z } from 'zod';

// Exactly the fields that the adapter needs, as Hetzner answers them today (provider-rules.md): anything else may come,
// go or be null. `datacenter` is gone since 2026-07-01 and not read.

const id = z.number().int().nonnegative();
const decimal = z.string().transform(Number).pipe(z.number().finite());
const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'not a time');
const price = z.object({ gross: decimal });

export const errorAnswer = z.object({
  error: z.object({
    code: z.string().nullish(),
    message: z.string().nullish(),
    details: z.unknown(),
  }),
});

export const errorFields = z.object({
  fields: z.array(z.object({ name: z.string(), messages: z.array(z.string()).nullish() })),
});

export const serverAnswer = z.object({
  id,
  name: z.string(),
  status: z.string(),
  created: time,
  labels: z.record(z.string(), z.string()).nullish(),
  location: z.object({ name: z.string() }),
  server_type: z.object({ name: z.string() }),
  image: z.object({ id, name: z.string().nullish() }).nullish(),
  public_net: z.object({
    ipv4: z.object({ ip: z.string() }).nullish(),
    ipv6: z.object({ ip: z.string() }).nullish(),
    firewalls: z.array(z.object({ id })).nullish(),
  }),
  private_net: z.array(z.object({ ip: z.string() })).nullish(),
});
export type HetznerServer = z.infer<typeof serverAnswer>;

const deprecation = z.object({ unavailable_after: time }).nullish();

export const serverTypeAnswer = z.object({
  name: z.string(),
  description: z.string().nullish(),
  cores: z.number(),
  memory: z.number(),
  disk: z.number(),
  architecture: z.string(),
  deprecated: z.boolean().nullish(),
  deprecation,
  locations: z.array(z.object({ name: z.string(), available: z.boolean().nullish(), deprecation })),
  prices: z.array(z.object({ location: z.string(), price_monthly: price, price_hourly: price })),
});
export type HetznerServerType = z.infer<typeof serverTypeAnswer>;

export const locationAnswer = z.object({
  name: z.string(),
  description: z.string().nullish(),
  country: z.string(),
  city: z.string(),
});
export type HetznerLocation = z.infer<typeof locationAnswer>;

export const imageAnswer = z.object({
  id,
  name: z.string().nullish(),
  type: z.string(),
  description: z.string().nullish(),
  os_flavor: z.string(),
  os_version: z.string().nullish(),
  architecture: z.string(),
  /** GB of the disk that it was made for. */
  disk_size: z.number(),
  deprecated: z.string().nullish(),
});
export type HetznerImage = z.infer<typeof imageAnswer>;

export const pricingAnswer = z.object({
  pricing: z.object({
    currency: z.string(),
    primary_ips: z.array(
      z.object({ type: z.string(), prices: z.array(z.object({ location: z.string(), price_monthly: price })) }),
    ),
  }),
});
export type HetznerPricing = z.infer<typeof pricingAnswer>['pricing'];

export const sshKeyAnswer = z.object({ id, name: z.string(), fingerprint: z.string() });
export const managedKeyAnswer = z.object({
  id,
  name: z.string(),
  public_key: z.string(),
  labels: z.record(z.string(), z.string()),
});

const firewallRule = z.object({
  direction: z.string(),
  protocol: z.string(),
  port: z.string().nullish(),
  source_ips: z.array(z.string()).nullish(),
});
export type HetznerFirewallRule = z.infer<typeof firewallRule>;

export const firewallAnswer = z.object({
  id,
  name: z.string(),
  labels: z.record(z.string(), z.string()).nullish(),
  rules: z.array(firewallRule),
  applied_to: z.array(z.unknown()),
});
export type HetznerFirewall = z.infer<typeof firewallAnswer>;

export const pageAnswer = z.object({
  meta: z.object({ pagination: z.object({ next_page: z.number().int().nullish() }) }),
});
