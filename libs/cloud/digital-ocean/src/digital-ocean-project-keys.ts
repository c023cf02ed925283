import { createHash } from 'node:crypto';
import {
  CloudError,
  type ProjectKey,
  type RequestPurpose,
  type ManagedKey,
  type SshKey,
  numericId,
  unlessGone,
} from '@agent-controller/cloud-port';
import { z } from 'zod';
import { listedKeyAnswer, managedKeyAnswer, sshKeyAnswer } from './digital-ocean-answer.schemas';
import { DigitalOceanClient } from './digital-ocean.client';

/** The SSH keys of the project that the token sees. */
export class DigitalOceanProjectKeys {
  constructor(private readonly api: DigitalOceanClient) {}

  async ensure({ name, publicKey }: ProjectKey): Promise<string> {
    const fingerprint = md5Fingerprint(publicKey);
    const existing = await this.findKey(fingerprint, 'create');
    if (existing) return existing;
    try {
      const answer = await this.api.call(
        { effect: 'change', name: 'POST /account/keys', purpose: 'create' },
        (dots) => dots.sshKey.createSshKey({ name, public_key: publicKey }),
        sshKeyAnswer,
      );
      return String(answer.ssh_key.id);
    } catch (error) {
      // Another controller may have been faster.
      const other = isConflict(error) ? await this.findKey(fingerprint, 'create') : null;
      if (other) return other;
      throw error;
    }
  }

  async has(keyId: string): Promise<boolean> {
    return (await this.findKey(numericId(keyId, 'DigitalOcean'), 'delete')) !== null;
  }

  async list(): Promise<SshKey[]> {
    const keys: SshKey[] = [];
    const pages = this.api.list(
      { name: 'GET /account/keys', purpose: 'create', listsKeys: true },
      (dots, page) => dots.sshKey.listSshKeys(page),
      'ssh_keys',
      listedKeyAnswer,
    );
    for await (const { id, name } of pages) keys.push({ id: String(id), name });
    return keys;
  }

  /** All keys: DigitalOcean has no labels for them. */
  async listManaged(): Promise<ManagedKey[]> {
    const keys: ManagedKey[] = [];
    const pages = this.api.list(
      { name: 'GET /account/keys', purpose: 'look', listsKeys: true },
      (dots, page) => dots.sshKey.listSshKeys(page),
      'ssh_keys',
      managedKeyAnswer,
    );
    for await (const { id, name, public_key: publicKey } of pages) {
      keys.push({ id: String(id), name, publicKey, instanceId: null });
    }
    return keys;
  }

  async remove(keyId: string): Promise<void> {
    const ssh_key_id = numericId(keyId, 'DigitalOcean');
    const sent = this.api.call(
      { effect: 'change', name: 'DELETE /account/keys/{key}', purpose: 'look' },
      (dots) => dots.sshKey.destroySshKey({ ssh_key_id }),
      z.unknown(),
    );
    await unlessGone(sent);
  }

  /** One key is asked for by id or fingerprint: listing keys is limited to 10 calls a minute. */
  private async findKey(ssh_key_id: number | string, purpose: RequestPurpose): Promise<string | null> {
    const sent = this.api.call(
      { effect: 'read', name: 'GET /account/keys/{key}', purpose },
      (dots) => dots.sshKey.getSshKey({ ssh_key_id }),
      sshKeyAnswer,
    );
    const answer = await unlessGone(sent);
    return answer && String(answer.ssh_key.id);
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof CloudError && error.kind === 'conflict';
}

/** As DigitalOcean shows it: MD5 of the key itself, in pairs of hex digits. */
function md5Fingerprint(publicKey: string): string {
  const key = Buffer.from(publicKey.trim().split(/\s+/)[1] ?? '', 'base64');
  return (createHash('md5').update(key).digest('hex').match(/../g) ?? []).join(':');
}
