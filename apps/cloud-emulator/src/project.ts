import { createHash } from 'node:crypto';
import type { Machine } from './server/machine';

export type ProviderName = 'hetzner' | 'digitalocean';

export interface ServerRecord {
  id: number;
  name: string;
  typeId: string;
  locationId: string;
  imageName: string;
  labels: Record<string, string>;
  tags: string[];
  sshKeyIds: number[];
  firewallIds: number[];
  /** Names of those that stood before it from its first moment. */
  firewallsAtOrder: string[];
  createdAt: Date;
  /** Accepted, and then it did not exist. */
  isVanished: boolean;
  /** Until this time (ms since 1970) the provider's answers know nothing of it. */
  hiddenUntil?: number;
  /** The same for lists alone. */
  unlistedUntil?: number;
  address: string;
  privateAddress: string;
  machine: Machine;
}

export interface KeyRecord {
  id: number;
  name: string;
  publicKey: string;
  /** MD5, as both providers show it. */
  fingerprint: string;
  labels: Record<string, string>;
  createdAt: Date;
}

export interface FirewallRecord {
  id: number;
  name: string;
  body: Record<string, unknown>;
  createdAt: Date;
}

/** Something that a provider does with a server, and that takes its time. */
export interface ActionRecord {
  id: number;
  command: string;
  server: ServerRecord;
  startedAt: Date;
  /** Looked up when asked. */
  state: () => 'running' | 'done' | 'failed';
}

const BURST_WINDOW_MS = 60_000;

/** What belongs to one token at one provider. */
export class Project {
  readonly servers = new Map<number, ServerRecord>();
  readonly keys = new Map<number, KeyRecord>();
  readonly firewalls = new Map<number, FirewallRecord>();
  readonly tags = new Set<string>();
  readonly actions = new Map<number, ActionRecord>();
  readonly #bursts = new Map<string, number[]>();
  /** Deleted servers that lists still show, as they were. */
  #lingering: { record: ServerRecord; until: number }[] = [];
  /** Requests left; refills with time. */
  budget: number;
  budgetAt = Date.now();
  #budgetFactor = 1;

  constructor(
    readonly provider: ProviderName,
    /** Stands for the token where people look. */
    readonly tokenHash: string,
    private readonly usualBudget: number,
    /** What a token sees by mistake, in place of its own. */
    readonly isElsewhere = false,
  ) {
    this.budget = usualBudget;
  }

  /** Requests when the budget is full. */
  get budgetLimit(): number {
    return this.usualBudget * this.#budgetFactor;
  }

  /** As the provider answers for one server. */
  find(id: number): ServerRecord | undefined {
    const record = this.servers.get(id);
    return record && (record.hiddenUntil ?? 0) > Date.now() ? undefined : record;
  }

  /** As the provider lists them, oldest first. */
  listed(): ServerRecord[] {
    const now = Date.now();
    this.#lingering = this.#lingering.filter(({ until }) => until > now);
    const late = this.#lingering.map(({ record }) => record);
    const isLate = ({ id }: ServerRecord) => late.some((record) => record.id === id);
    const seen = [...this.servers.values()].filter(
      (record) => Math.max(record.hiddenUntil ?? 0, record.unlistedUntil ?? 0) <= now && !isLate(record),
    );
    return [...seen, ...late].sort((one, other) => one.id - other.id);
  }

  /** Lists show it as it is now, until a time (ms since 1970). */
  linger(record: ServerRecord, until: number): void {
    const machine = Object.create(record.machine, { life: { value: record.machine.life } }) as Machine;
    this.#lingering.push({ record: { ...record, machine }, until });
  }

  /** So many times the provider's own budget, which is full where that is new. */
  raiseBudget(factor: number): void {
    if (factor === this.#budgetFactor) return;
    this.#budgetFactor = factor;
    this.setBudget(this.budgetLimit);
  }

  /** @param refillPerSecond of the provider's own budget @returns false when nothing is left */
  spend(refillPerSecond: number): boolean {
    const now = Date.now();
    this.budget = Math.min(
      this.budgetLimit,
      this.budget + ((now - this.budgetAt) / 1000) * refillPerSecond * this.#budgetFactor,
    );
    this.budgetAt = now;
    if (this.budget < 1) return false;
    this.budget -= 1;
    return true;
  }

  setBudget(remaining: number): void {
    this.budget = Math.min(remaining, this.budgetLimit);
    this.budgetAt = Date.now();
  }

  /** Counts a request against a limit for any minute. @returns 0, or the seconds until the next one may come */
  burst(kind: string, limitPerMinute: number): number {
    const now = Date.now();
    const recent = (this.#bursts.get(kind) ?? []).filter((at) => now - at < BURST_WINDOW_MS);
    const oldest = recent.at(-limitPerMinute);
    this.#bursts.set(kind, recent);
    if (oldest !== undefined) return Math.max(1, Math.ceil((oldest + BURST_WINDOW_MS - now) / 1_000));
    recent.push(now);
    return 0;
  }
}

/** MD5 fingerprint of an OpenSSH public key; null for what is none. */
export function fingerprint(publicKey: string): string | null {
  const [type = '', blob = ''] = publicKey.trim().split(/\s+/);
  const bytes = Buffer.from(blob, 'base64');
  if (!/^(ssh-|ecdsa-)/.test(type) || !bytes.includes(type)) return null;
  return createHash('md5')
    .update(bytes)
    .digest('hex')
    .replace(/(..)(?=.)/g, '$1:');
}

export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 12);
}
