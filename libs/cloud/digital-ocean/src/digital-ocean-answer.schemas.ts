import { z } from 'zod';

// Exactly the fields that the adapter needs. dots-wrapper's types say what should come; these say what did.

const id = z.number().int().nonnegative();
const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'not a time');
const address = z.object({ ip_address: z.string(), type: z.string() });

export const errorAnswer = z.object({
  id: z.string().nullish(),
  message: z.string().nullish(),
  request_id: z.string().nullish(),
});

export const dropletAnswer = z.object({
  id,
  name: z.string(),
  status: z.string(),
  created_at: time,
  size_slug: z.string(),
  region: z.object({ slug: z.string() }),
  image: z.object({ id, slug: z.string().nullish() }).nullish(),
  tags: z.array(z.string()).nullish(),
  networks: z.object({ v4: z.array(address).nullish(), v6: z.array(address).nullish() }).nullish(),
});
export type DropletAnswer = z.infer<typeof dropletAnswer>;

export const sizeAnswer = z.object({
  slug: z.string(),
  description: z.string().nullish(),
  vcpus: z.number(),
  /** MB. */
  memory: z.number(),
  disk: z.number(),
  price_monthly: z.number(),
  price_hourly: z.number(),
  available: z.boolean(),
  regions: z.array(z.string()),
});
export type SizeAnswer = z.infer<typeof sizeAnswer>;

export const regionAnswer = z.object({ slug: z.string(), name: z.string(), available: z.boolean() });
export type RegionAnswer = z.infer<typeof regionAnswer>;

export const imageAnswer = z.object({
  id,
  slug: z.string().nullish(),
  name: z.string(),
  description: z.string().nullish(),
  distribution: z.string(),
  type: z.string(),
  public: z.boolean(),
  status: z.string().nullish(),
  /** GB. */
  min_disk_size: z.number().nullish(),
  regions: z.array(z.string()),
});
export type ImageAnswer = z.infer<typeof imageAnswer>;

export const sshKeyAnswer = z.object({ ssh_key: z.object({ id }) });
export const listedKeyAnswer = z.object({ id, name: z.string() });
export const managedKeyAnswer = z.object({ id, name: z.string(), public_key: z.string() });

const rule = { protocol: z.string(), ports: z.string().nullish() };
const strings = z.array(z.string()).nullish();
const ids = z.array(z.unknown()).nullish();
const inboundRule = z.object({
  ...rule,
  sources: z.object({
    addresses: strings,
    droplet_ids: ids,
    load_balancer_uids: ids,
    kubernetes_ids: ids,
    tags: ids,
  }),
});
export type InboundRuleAnswer = z.infer<typeof inboundRule>;
const outboundRule = z.object({ ...rule, destinations: z.object({ addresses: strings }) });
export type OutboundRuleAnswer = z.infer<typeof outboundRule>;

export const firewallAnswer = z.object({
  id: z.string(),
  name: z.string(),
  tags: strings,
  droplet_ids: z.array(z.number()).nullish(),
  inbound_rules: z.array(inboundRule).nullish(),
  outbound_rules: z.array(outboundRule).nullish(),
});
export type FirewallAnswer = z.infer<typeof firewallAnswer>;

export const pageAnswer = z.object({
  links: z.object({ pages: z.object({ next: z.string().nullish() }).nullish() }).nullish(),
});
