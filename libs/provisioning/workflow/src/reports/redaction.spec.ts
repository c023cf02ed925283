import type { ProvisioningSecrets } from '../provisioning.types';
import { failedReport, reportWith } from '../testing/server-report.fixture';
import { redacted } from './redaction';

const secrets: ProvisioningSecrets = {
  git: { token: 'git "token"', privateKey: '-----BEGIN KEY-----\nLINE-OF-THE-KEY\n-----END KEY-----\n' },
  cursorApiKey: 'cursor-key',
  environment: { A: 'longer cursor-key here', B: 'true' },
  server: { databasePassword: 'database-password', jwtSecret: 'jwt-secret', encryptionKey: 'encryption-key' },
  tlsPrivateKeyPem: '-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n',
};

describe('redacted', () => {
  it('leaves nothing of any secret in cause and log', () => {
    const error = failedReport().error!;
    const told = [
      ...['git "token"', String.raw`git \"token\"`, 'LINE-OF-THE-KEY', 'cursor-key', 'longer cursor-key here'],
      ...['database-password', 'jwt-secret', 'encryption-key', 'MIGHAgEA', 'the-api-key'],
    ];
    const report = failedReport({
      error: { ...error, cause: `it was ${told[0]}`, logTail: told.map((text) => `<${text}>`) },
    });
    const clean = redacted(report, secrets, { type: 'api_key', apiKey: 'the-api-key' });
    expect(clean.error?.cause).toBe('it was [secret]');
    expect(clean.error?.logTail).toEqual(told.map(() => '<[secret]>'));
  });

  it('nor in the ways in which programs encode it', () => {
    const error = failedReport().error!;
    const values = [secrets.git.token!, secrets.git.privateKey!, 'pass word/&ü'];
    const encoded = values.flatMap((value) => [
      Buffer.from(value).toString('base64'),
      Buffer.from(value).toString('base64url'),
      Buffer.from(value).toString('hex'),
      encodeURIComponent(value),
    ]);
    const report = failedReport({ error: { ...error, logTail: encoded } });
    const clean = redacted(report, { ...secrets, cursorApiKey: 'pass word/&ü' }, null);
    const shown = clean.error!.logTail.filter((line) => !line.includes('[secret]'));
    expect(shown).toEqual([]);
    expect(clean.error!.logTail.join()).not.toContain('LINE-OF-THE-KEY');
  });

  it('keeps the rest, and short values', () => {
    const report = failedReport({
      error: { ...failedReport().error!, logTail: ['it is true', '-----BEGIN KEY-----'] },
    });
    expect(redacted(report, secrets, null)).toEqual(report);
    expect(redacted(reportWith(), null, null)).toEqual(reportWith());
  });
});
