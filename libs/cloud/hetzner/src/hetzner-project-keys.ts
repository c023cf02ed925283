import { createHash } from 'node:crypto';
import {
  CloudError,
  type ManagedKey,
  type ProjectKey,
  type SshKey,
  numericId,
  unlessGone,
} from '@agent-controller/cloud-port';
import { z } from 'zod';
import { managedKeyAnswer, sshKeyAnswer } from './hetzner-answer.schemas';
import { instanceLabels, instanceOfLabels, ownedSelector } from './hetzner-owner.labels';
import { HetznerClient } from './hetzner.client';

/** The SSH keys of the project that the token sees. */
export class HetznerProjectKeys {
  constructor(private readonly api: HetznerClient) {}

  async ensure({ name, publicKey, instanceId }: ProjectKey): Promise<string> {
    const existing = await this.findKey(publicKey);
    if (existing) return existing;
    try {
      const labels = instanceId === undefined ? {} : instanceLabels(instanceId);
      const body = { name, public_key: publicKey, labels };
      const answer = z.object({ ssh_key: sshKeyAnswer });
      const { ssh_key } = await this.api.send({ method: 'POST', path: '/ssh_keys', body, purpose: 'create' }, answer);
      return String(ssh_key.id);
    } catch (error) {
      // Another controller may have been faster. If the key is still not there, its name is taken by another key.
      const other = isConflict(error) ? await this.findKey(publicKey) : null;
      if (other) return other;
      throw error;
    }
  }

  async has(keyId: string): Promise<boolean> {
    const path = `/ssh_keys/${numericId(keyId, 'Hetzner Cloud')}`;
    const request = { method: 'GET', path, purpose: 'delete' } as const;
    return (await unlessGone(this.api.send(request, z.object({ ssh_key: sshKeyAnswer })))) !== null;
  }

  async list(): Promise<SshKey[]> {
    const keys: SshKey[] = [];
    const request = { path: '/ssh_keys', purpose: 'create', listsKeys: true } as const;
    for await (const { id, name } of this.api.list(request, 'ssh_keys', sshKeyAnswer)) {
      keys.push({ id: String(id), name });
    }
    return keys;
  }

  async listManaged(): Promise<ManagedKey[]> {
    const keys: ManagedKey[] = [];
    const query = { label_selector: ownedSelector };
    const request = { path: '/ssh_keys', query, purpose: 'look', listsKeys: true } as const;
    for await (const key of this.api.list(request, 'ssh_keys', managedKeyAnswer)) {
      const { id, name, public_key: publicKey, labels } = key;
      keys.push({ id: String(id), name, publicKey, instanceId: instanceOfLabels(labels) });
    }
    return keys;
  }

  async remove(keyId: string): Promise<void> {
    const path = `/ssh_keys/${numericId(keyId, 'Hetzner Cloud')}`;
    await unlessGone(this.api.sendOnly({ method: 'DELETE', path, purpose: 'look' }));
  }

  private async findKey(publicKey: string): Promise<string | null> {
    const fingerprint = md5Fingerprint(publicKey);
    const request = { path: '/ssh_keys', query: { fingerprint }, purpose: 'create' } as const;
    for await (const key of this.api.list(request, 'ssh_keys', sshKeyAnswer)) {
      if (key.fingerprint === fingerprint) return String(key.id);
    }
    return null;
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof CloudError && error.kind === 'conflict';
}

/** As Hetzner shows it: MD5 of the key itself, in pairs of hex digits. */
function md5Fingerprint(publicKey: string): string {
  const key = Buffer.from(publicKey.trim().split(/\s+/)[1] ?? '', 'base64');
  return (createHash('md5').update(key).digest('hex').match(/../g) ?? []).join(':');
}
