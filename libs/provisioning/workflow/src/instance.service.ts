import { Injectable } from '@nestjs/common';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { Instance } from './instance.entity';

/** This installation's identity: made once, whichever controller comes first. */
@Injectable()
export class InstanceService {
  #instance?: Promise<Instance>;

  constructor(private readonly dataSource: DataSource) {}

  get(): Promise<Instance> {
    this.#instance ??= this.load().catch((error: unknown) => {
      this.#instance = undefined;
      throw error;
    });
    return this.#instance;
  }

  private async load(): Promise<Instance> {
    const repository = this.dataSource.getRepository(Instance);
    await repository
      .createQueryBuilder()
      .insert()
      .values({
        singleton: true,
        instanceId: randomUUID(),
        projectPublicKey: newPublicKey(),
        createdAt: new Date(),
      })
      .orIgnore()
      .execute();
    return repository.findOneByOrFail({ singleton: true });
  }
}

/** An Ed25519 public key as one line of OpenSSH (RFC 8709). Its private half is thrown away: nobody can log in with it. */
function newPublicKey(): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  const key = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const blob = Buffer.concat([field(Buffer.from('ssh-ed25519')), field(key)]);
  return `ssh-ed25519 ${blob.toString('base64')} agent-controller`;
}
