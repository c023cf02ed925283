import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { ProvisioningSecrets } from '../provisioning.types';

/** What such a server is to get. */
export const SECRETS: ProvisioningSecrets = {
  git: { token: 'the-git-token' },
  environment: { FURTHER: 'the $further value' },
  server: { databasePassword: 'the-database-password', jwtSecret: 'the-jwt', encryptionKey: 'the-encryption-key' },
  tlsPrivateKeyPem: 'the-tls-key',
};

/** What a server sends for its secret files, written anew here, so that both sides are not tested by the same code. */
export class RedeemingServer {
  readonly #privateKey: KeyObject;
  readonly publicKey: string;

  constructor(readonly namedCurve = 'prime256v1') {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    this.#privateKey = privateKey;
    this.publicKey = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  }

  request(provisioningId: string, { attempt = 1, sentAt }: { attempt?: number; sentAt: number }) {
    const lines = ['agent-controller bootstrap redemption v1', provisioningId, attempt, this.publicKey, sentAt];
    const signature = sign('sha256', Buffer.from(lines.join('\n')), this.#privateKey).toString('base64');
    return { attempt, publicKey: this.publicKey, sentAt, signature };
  }
}
