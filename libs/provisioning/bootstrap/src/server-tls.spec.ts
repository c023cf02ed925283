import { X509Certificate, createHash, createPrivateKey } from 'node:crypto';
import { createServerTls } from './server-tls';

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

  it('makes another key every time', async () => {
    const [one, other] = await Promise.all([createServerTls('a', new Date()), createServerTls('a', new Date())]);
    expect(one.spkiSha256).not.toBe(other.spkiSha256);
  });
});
