import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { createHash, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import type { ServerTls } from './bootstrap-spec';

/** Longer ones are refused by some clients. */
export const CERTIFICATE_DAYS = 824;
const DAY_MS = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A new key pair and its self-signed certificate for one server. */
export async function createServerTls(clientId: string, now: Date): Promise<ServerTls> {
  const serverName = `${clientId}.agent.internal`;
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: `CN=${serverName}`,
      // Clocks of fresh servers may be behind.
      notBefore: new Date(now.getTime() - DAY_MS),
      notAfter: new Date(now.getTime() + (CERTIFICATE_DAYS - 1) * DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension([{ type: 'dns', value: serverName }]),
      ],
    },
    webcrypto as unknown as NonNullable<Parameters<typeof X509CertificateGenerator.createSelfSigned>[1]>,
  );
  const certificatePem = `${certificate.toString('pem')}\n`;
  const privateKey = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    certificatePem,
    privateKeyPem: pem('PRIVATE KEY', privateKey),
    spkiSha256: spkiSha256(certificatePem),
    serverName,
  };
}

/** A positive number of 16 bytes without leading zeros. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes.readUInt8(0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** SHA-256 of the SubjectPublicKeyInfo, base64, as `curl --pinnedpubkey` takes it. */
export function spkiSha256(certificatePem: string): string {
  const spki = createPublicKey(certificatePem).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64');
}
