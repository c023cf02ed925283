import { createHash } from 'node:crypto';
import type { EmulatedServer } from './server/emulated-server';

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
  createdAt: Date;
  address: string;
  privateAddress: string;
  machine: EmulatedServer;
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

/** What belongs to one token at one provider. */
export class Project {
  readonly servers = new Map<number, ServerRecord>();
  readonly keys = new Map<number, KeyRecord>();
  readonly firewalls = new Map<number, FirewallRecord>();
  readonly tags = new Set<string>();
  /** Requests left; refills with time. */
  budget: number;
  budgetAt = Date.now();

  constructor(
    readonly provider: ProviderName,
    /** Stands for the token where people look. */
    readonly tokenHash: string,
    readonly budgetLimit: number,
  ) {
    this.budget = budgetLimit;
  }

  /** @returns false when nothing is left */
  spend(refillPerSecond: number): boolean {
    const now = Date.now();
    this.budget = Math.min(this.budgetLimit, this.budget + ((now - this.budgetAt) / 1000) * refillPerSecond);
    this.budgetAt = now;
    if (this.budget < 1) return false;
    this.budget -= 1;
    return true;
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
