import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import type { ServerTls } from './bootstrap-spec';
import { bits, der, integer, objectId, octets, sequence, setOf, text, time, TRUE } from './der';

/** Longer ones are refused by some clients. */
export const CERTIFICATE_DAYS = 824;
const DAY_MS = 86_400_000;

const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));
const VERSION_3 = der(0xa0, integer(Buffer.from([2])));
const COMMON_NAME = objectId('2.5.4.3');
const NOT_A_CA = sequence(objectId('2.5.29.19'), TRUE, octets(sequence()));
const DIGITAL_SIGNATURE = sequence(objectId('2.5.29.15'), TRUE, octets(bits(Buffer.from([0x80]), 7)));
const SERVER_AUTH = sequence(objectId('2.5.29.37'), octets(sequence(objectId('1.3.6.1.5.5.7.3.1'))));
const SUBJECT_ALTERNATIVE_NAME = objectId('2.5.29.17');

/**
 * A new key pair and its self-signed certificate for one server. Written by hand, since the library that makes
 * certificates cost more than all the rest of accepting an order; Node makes the key and the signature.
 */
export async function createServerTls(clientId: string, now: Date): Promise<ServerTls> {
  const serverName = `${clientId}.agent.internal`;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    certificatePem: pem('CERTIFICATE', certificate(serverName, spki, privateKey, now)),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    spkiSha256: sha256(spki),
    serverName,
  };
}

/** RFC 5280, version 3. */
function certificate(serverName: string, spki: Buffer, privateKey: KeyObject, now: Date): Buffer {
  const name = sequence(setOf(sequence(COMMON_NAME, text(serverName))));
  const serial = randomBytes(16);
  // A positive number without leading zeros.
  serial[0] = (serial.readUInt8(0) & 0x3f) | 0x40;
  // Clocks of fresh servers may be behind.
  const notBefore = new Date(now.getTime() - DAY_MS);
  const notAfter = new Date(now.getTime() + (CERTIFICATE_DAYS - 1) * DAY_MS);
  const dnsName = der(0x82, Buffer.from(serverName, 'ascii'));
  const names = sequence(SUBJECT_ALTERNATIVE_NAME, octets(sequence(dnsName)));
  const signed = sequence(
    VERSION_3,
    integer(serial),
    ECDSA_WITH_SHA256,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    spki,
    der(0xa3, sequence(NOT_A_CA, DIGITAL_SIGNATURE, SERVER_AUTH, names)),
  );
  return sequence(signed, ECDSA_WITH_SHA256, bits(sign('sha256', signed, privateKey)));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** SHA-256 of the SubjectPublicKeyInfo, base64, as `curl --pinnedpubkey` takes it. */
export function spkiSha256(certificatePem: string): string {
  return sha256(createPublicKey(certificatePem).export({ type: 'spki', format: 'der' }));
}

function sha256(spki: Buffer): string {
  return createHash('sha256').update(spki).digest('base64');
}
