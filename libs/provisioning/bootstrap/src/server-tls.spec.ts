import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate as PeculiarCertificate,
} from '@peculiar/x509';
import { X509Certificate, createHash, createPrivateKey } from 'node:crypto';
import { createServerTls } from './server-tls';

const NOW = new Date('2026-11-23T12:00:00Z');

describe('createServerTls', () => {
  it('makes a certificate for the client, its key and its pin', async () => {
    const now = new Date('2026-11-23T12:00:00Z');
    const tls = await createServerTls('5f0c54a5-5b2e-4a7c-9a6f-0d7c8f6a1b2c', now);
    const certificate = new X509Certificate(tls.certificatePem);

    expect(certificate.checkHost(tls.serverName)).toBe('5f0c54a5-5b2e-4a7c-9a6f-0d7c8f6a1b2c.agent.internal');
    expect(certificate.checkPrivateKey(createPrivateKey(tls.privateKeyPem))).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(now.getTime());
    const days = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / 86_400_000;
    expect(days).toBe(824);
    const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
    expect(tls.spkiSha256).toBe(createHash('sha256').update(spki).digest('base64'));
  });

  it('makes what another reader of certificates understands: version, names, use, and nothing else', async () => {
    const { certificatePem, serverName } = await createServerTls('5f0c54a5-5b2e-4a7c-9a6f-0d7c8f6a1b2c', NOW);
    const read = new PeculiarCertificate(certificatePem);
    expect(read.subject).toBe(`CN=${serverName}`);
    expect(read.issuer).toBe(read.subject);
    expect(read.serialNumber).toMatch(/^[4-7][0-9a-f]{31}$/);
    expect(read.notBefore).toEqual(new Date('2026-11-22T12:00:00Z'));
    expect(read.notAfter).toEqual(new Date('2029-02-23T12:00:00Z'));
    expect(read.extensions.map(({ type, critical }) => [type, critical])).toEqual([
      ['2.5.29.19', true],
      ['2.5.29.15', true],
      ['2.5.29.37', false],
      ['2.5.29.17', false],
    ]);
    expect(read.getExtension(BasicConstraintsExtension)).toMatchObject({ ca: false });
    expect(read.getExtension(KeyUsagesExtension)?.usages).toBe(KeyUsageFlags.digitalSignature);
    expect(read.getExtension(ExtendedKeyUsageExtension)?.usages).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(read.getExtension(SubjectAlternativeNameExtension)?.names.toJSON()).toEqual([
      { type: 'dns', value: serverName },
    ]);
  });

  it('has a year of four digits from 2050 on', async () => {
    const { certificatePem } = await createServerTls('a', new Date('2049-12-31T12:00:00Z'));
    const certificate = new X509Certificate(certificatePem);
    expect(new Date(certificate.validFrom).getUTCFullYear()).toBe(2049);
    expect(new Date(certificate.validTo).getUTCFullYear()).toBe(2052);
  });

  it('makes another key every time', async () => {
    const [one, other] = await Promise.all([createServerTls('a', new Date()), createServerTls('a', new Date())]);
    expect(one.spkiSha256).not.toBe(other.spkiSha256);
  });
});
