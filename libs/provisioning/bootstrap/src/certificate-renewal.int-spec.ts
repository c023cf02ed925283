import { spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AGENT_MANAGER_FOLDER } from './agent-manager-folder';
import { RENEWAL_TIMER, renewalScript } from './certificate-renewal';
import { CERTIFICATE_DAYS, createServerTls, spkiSha256 } from './server-tls';

// CI installs it and sets REQUIRE_SYSTEM_TOOLS=1: there, a missing one is a failure.
const isPresent =
  process.env.REQUIRE_SYSTEM_TOOLS === '1' || ['openssl', 'bash'].every((tool) => !spawnSync(tool, ['--help']).error);
const withTools = isPresent ? it : it.skip;
const label = isPresent ? '' : ' (skipped: openssl or bash is not installed here)';

const DAY_MS = 86_400_000;

describe('renew-certificate.sh', () => {
  let folder: string;
  const file = (name: string) => join(folder, name);
  const certificate = () => readFileSync(file('tls/cert.pem'), 'utf8');
  const restarts = () =>
    existsSync(file('docker.log')) ? readFileSync(file('docker.log'), 'utf8').split('\n').length - 1 : 0;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'renewal-'));
    mkdirSync(file('tls'));
    mkdirSync(file('bin'));
    docker('exit 0');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** What stands for Docker: notes how it was called, and then does this. */
  function docker(then: string): void {
    writeFileSync(file('bin/docker'), `#!/bin/sh\necho "$@" >> ${file('docker.log')}\n${then}\n`);
    chmodSync(file('bin/docker'), 0o755);
  }

  /** A server whose certificate was made so many days ago. */
  async function serverOf(days: number) {
    const tls = await createServerTls('client-1', new Date(Date.now() - days * DAY_MS));
    writeFileSync(file('tls/cert.pem'), tls.certificatePem, { mode: 0o600 });
    writeFileSync(file('tls/key.pem'), tls.privateKeyPem, { mode: 0o600 });
    writeFileSync(file('renew.sh'), renewalScript(tls.serverName).replaceAll(AGENT_MANAGER_FOLDER, folder));
    return tls;
  }

  const renew = () => {
    const env = { ...process.env, PATH: `${file('bin')}:${process.env.PATH ?? ''}` };
    return spawnSync('bash', [file('renew.sh')], { env, encoding: 'utf8' });
  };

  withTools(`leaves a certificate alone that is good for long${label}`, async () => {
    const tls = await serverOf(CERTIFICATE_DAYS / 2 - 2);
    expect(renew()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(certificate()).toBe(tls.certificatePem);
    expect(restarts()).toBe(0);
  });

  for (const [what, age] of [
    ['has less than half of its time left', CERTIFICATE_DAYS / 2 + 1],
    ['has 20 days left', CERTIFICATE_DAYS - 21],
    ['ended', CERTIFICATE_DAYS + 100],
  ] as const) {
    withTools(`issues one that ${what} anew from the same key, so that its pin stays good${label}`, async () => {
      const tls = await serverOf(age);
      expect(renew()).toMatchObject({ status: 0 });
      const renewed = new X509Certificate(certificate());
      expect(renewed.fingerprint256).not.toBe(new X509Certificate(tls.certificatePem).fingerprint256);
      expect(spkiSha256(certificate())).toBe(tls.spkiSha256);
      expect(readFileSync(file('tls/key.pem'), 'utf8')).toBe(tls.privateKeyPem);
      expect(renewed.checkPrivateKey(createPrivateKey(tls.privateKeyPem))).toBe(true);
      expect(renewed.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
      expect(renewed.verify(renewed.publicKey)).toBe(true);
      expect(renewed.checkHost(tls.serverName)).toBe(tls.serverName);
      expect(renewed.ca).toBe(false);
      const days = (Date.parse(renewed.validTo) - Date.parse(renewed.validFrom)) / DAY_MS;
      // openssl reads the clock twice.
      expect(Math.round(days)).toBe(CERTIFICATE_DAYS);
      expect(Date.parse(renewed.validFrom)).toBeGreaterThan(Date.now() - DAY_MS);
      expect(statSync(file('tls/cert.pem')).mode & 0o777).toBe(0o600);
      expect(readFileSync(file('docker.log'), 'utf8')).toBe('compose restart proxy\n');

      const after = certificate();
      expect(renew()).toMatchObject({ status: 0 });
      expect(certificate()).toBe(after);
      expect(restarts()).toBe(1);
    });
  }

  withTools(`says in the new one what the first one said${label}`, async () => {
    const tls = await serverOf(CERTIFICATE_DAYS);
    renew();
    const extensions = (pem: string) =>
      ['subjectAltName', 'keyUsage', 'extendedKeyUsage', 'basicConstraints'].map((name) => {
        const args = ['x509', '-noout', '-ext', name];
        return spawnSync('openssl', args, { input: pem, encoding: 'utf8' }).stdout;
      });
    expect(extensions(certificate())).toEqual(extensions(tls.certificatePem));
    expect(extensions(certificate())[1]).toMatch(/critical\s+Digital Signature\n/);
  });

  withTools(`keeps the old one when none can be made${label}`, async () => {
    const tls = await serverOf(CERTIFICATE_DAYS);
    writeFileSync(file('tls/key.pem'), 'no key');
    expect(renew().status).not.toBe(0);
    expect(certificate()).toBe(tls.certificatePem);
    expect(restarts()).toBe(0);
  });

  withTools(`restarts the proxy at the next look when Docker was away${label}`, async () => {
    await serverOf(CERTIFICATE_DAYS);
    docker('exit 1');
    expect(renew().status).not.toBe(0);
    const renewed = certificate();
    docker('exit 0');
    expect(renew().status).toBe(0);
    expect(certificate()).toBe(renewed);
    expect(restarts()).toBe(2);
    expect(renew().status).toBe(0);
    expect(restarts()).toBe(2);
  });

  it('looks often enough for the half that is left', () => {
    expect(RENEWAL_TIMER).toContain('OnCalendar=weekly');
    expect(RENEWAL_TIMER).toContain('Persistent=true');
  });
});
