import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_kp_serverAuth,
} from '@peculiar/asn1-x509';
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { ServerTls } from './bootstrap-spec';

/** Longer ones are refused by some clients. */
export const CERTIFICATE_DAYS = 824;
const DAY_MS = 86_400_000;
/** commonName, and ECDSA with SHA-256 (RFC 5758). */
const OID = { commonName: '2.5.4.3', ecdsaWithSha256: '1.2.840.10045.4.3.2' };
const SIGNATURE = new AlgorithmIdentifier({ algorithm: OID.ecdsaWithSha256 });
/** The same in every certificate. */
const EXTENSIONS = [
  extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
  extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
  extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
];

/**
 * A new key pair and its self-signed certificate for one server. From the library's parts: its generator reads again what
 * it has written, which costs three times as much. At once: key and signature take 0.1 ms, and handing them to another thread more.
 */
export function createServerTls(clientId: string, now: Date): ServerTls {
  const serverName = `${clientId}.agent.internal`;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const tbsCertificate = toBeSigned(serverName, spki, now);
  const signed = Buffer.from(AsnConvert.serialize(tbsCertificate));
  const signatureValue = bytes(sign('sha256', signed, privateKey));
  const certificate = new Certificate({ tbsCertificate, signatureAlgorithm: SIGNATURE, signatureValue });
  return {
    certificatePem: pem('CERTIFICATE', Buffer.from(AsnConvert.serialize(certificate))),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    spkiSha256: sha256(spki),
    serverName,
  };
}

function toBeSigned(serverName: string, spki: Buffer, now: Date): TBSCertificate {
  const commonName = new AttributeTypeAndValue({
    type: OID.commonName,
    value: new AttributeValue({ utf8String: serverName }),
  });
  const name = new Name([new RelativeDistinguishedName([commonName])]);
  const alternative = new SubjectAlternativeName([new GeneralName({ dNSName: serverName })]);
  return new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: SIGNATURE,
    issuer: name,
    subject: name,
    validity: new Validity({
      // Clocks of fresh servers may be behind.
      notBefore: new Date(now.getTime() - DAY_MS),
      notAfter: new Date(now.getTime() + (CERTIFICATE_DAYS - 1) * DAY_MS),
    }),
    subjectPublicKeyInfo: AsnConvert.parse(spki, SubjectPublicKeyInfo),
    extensions: new Extensions([...EXTENSIONS, extension(id_ce_subjectAltName, alternative)]),
  });
}

function extension(extnID: string, value: unknown, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

/** A positive number of 16 bytes without leading zeros. */
function serialNumber(): ArrayBuffer {
  const number = randomBytes(16);
  number[0] = (number.readUInt8(0) & 0x3f) | 0x40;
  return bytes(number);
}

/** On their own: a small Buffer is a part of a bigger one. */
function bytes(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** SHA-256 of the SubjectPublicKeyInfo, base64, as `curl --pinnedpubkey` takes it. */
export function spkiSha256(certificatePem: string): string {
  return sha256(createPublicKey(certificatePem).export({ type: 'spki', format: 'der' }));
}

function sha256(der: Buffer): string {
  return createHash('sha256').update(der).digest('base64');
}
