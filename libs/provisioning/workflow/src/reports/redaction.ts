import type { AgentCredentials } from '@agent-controller/clients';
import type { ProvisioningSecrets } from '../provisioning.types';
import type { ServerReport } from './server-report';

/** Shorter values are found in any text, and hide nothing. */
const MIN_LENGTH = 6;

/**
 * The report without any of this provisioning's secrets. The server leaves them out by itself; this is for one on which
 * something else went wrong.
 */
export function redacted(
  report: ServerReport,
  secrets: ProvisioningSecrets | null,
  credentials: AgentCredentials | null,
): ServerReport {
  if (!report.error) return report;
  const values = secretLines(secrets, credentials);
  const clean = (text: string) => values.reduce((rest, value) => rest.replaceAll(value, '[secret]'), text);
  const { error } = report;
  return { ...report, error: { ...error, cause: clean(error.cause), logTail: error.logTail.map(clean) } };
}

function secretLines(secrets: ProvisioningSecrets | null, credentials: AgentCredentials | null): string[] {
  const values = [
    ...(secrets
      ? [
          ...Object.values(secrets.git),
          secrets.cursorApiKey,
          ...Object.values(secrets.environment),
          ...Object.values(secrets.server),
          secrets.tlsPrivateKeyPem,
        ]
      : []),
    credentials?.type === 'api_key' ? credentials.apiKey : credentials?.clientSecret,
  ];
  const lines = values.flatMap((value) => (value ? [value, ...value.split(/\r?\n/)] : [])).map((line) => line.trim());
  return [...new Set([...lines.filter(hides), ...values.flatMap(whole)].flatMap(forms))]
    .filter(hides)
    .sort((one, other) => other.length - one.length);
}

/** Encoded, also a value is one line that has several; too short a one would hide by its longer code. */
function whole(value: string | undefined): string[] {
  return value !== undefined && value.length >= MIN_LENGTH ? [value] : [];
}

function hides(line: string): boolean {
  return line.length >= MIN_LENGTH && !line.startsWith('-----');
}

/** As programs print it. */
function forms(line: string): string[] {
  const bytes = Buffer.from(line);
  const base64 = [bytes.toString('base64'), bytes.toString('base64url')].map((text) => text.replace(/=+$/, ''));
  return [line, JSON.stringify(line).slice(1, -1), ...base64, bytes.toString('hex'), encodeURIComponent(line)];
}
