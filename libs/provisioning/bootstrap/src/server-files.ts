import { AGENT_MANAGER_FOLDER } from './agent-manager-folder';
import { BOOTSTRAP_SCRIPT } from './bootstrap-script';
import type { BootstrapSpec } from './bootstrap-spec';
import { callbackFile } from './callback-file';
import { RENEWAL_SERVICE, RENEWAL_TIMER, renewalScript } from './certificate-renewal';
import { composeFile, composeOverrideFile } from './compose-files';
import { METADATA_SERVICE, USER_DATA_SERVICE } from './metadata-guard';
import { proxyFile } from './proxy-file';
import {
  OVERRIDE_FILE,
  REDEMPTION_FILE,
  REDEMPTION_SCRIPT,
  REDEMPTION_SUBJECT_FILE,
  TLS_KEY_FILE,
} from './redemption-script';
import { CALLBACK_FILE, STATUS_REPORT, STATUS_TMPFILES } from './status-report';

/** A file of the server, owned by root. */
export interface ServerFile {
  path: string;
  /** Octal, four digits. */
  permissions: string;
  content: string;
}

const SECRET = '0600';
const SCRIPT = '0700';
const OPEN = '0644';

/** What is in the user data: everything, or, where the server can fetch it, everything but what is secret. */
export function userDataFiles(spec: BootstrapSpec): ServerFile[] {
  return [
    inFolder('docker-compose.yml', SECRET, composeFile(spec)),
    ...(spec.redemption ? redemptionFiles(spec) : secretFiles(spec)),
    inFolder('proxy/Caddyfile', SECRET, proxyFile(spec.agentWsPort)),
    inFolder('tls/cert.pem', SECRET, spec.tls.certificatePem),
    inFolder('renew-certificate.sh', SCRIPT, renewalScript(spec.tls.serverName)),
    inFolder('bootstrap.sh', SCRIPT, BOOTSTRAP_SCRIPT),
    inFolder('report.py', SCRIPT, STATUS_REPORT),
    { path: '/etc/tmpfiles.d/agent-manager.conf', permissions: OPEN, content: STATUS_TMPFILES },
    unit('certificate.service', RENEWAL_SERVICE),
    unit('certificate.timer', RENEWAL_TIMER),
    unit('metadata.service', METADATA_SERVICE),
    unit('user-data.service', USER_DATA_SERVICE),
  ];
}

/** What callers gave and what was made for this server alone. The script that fetches them takes no others. */
export function secretFiles({ callback, ...spec }: BootstrapSpec): ServerFile[] {
  return [
    { path: OVERRIDE_FILE, permissions: SECRET, content: composeOverrideFile(spec) },
    { path: TLS_KEY_FILE, permissions: SECRET, content: spec.tls.privateKeyPem },
    ...(callback ? [{ path: CALLBACK_FILE, permissions: SECRET, content: callbackFile(callback) }] : []),
  ];
}

/** Until the server has its own token for reports it reports with the bootstrap token: user data holds one alone. */
function redemptionFiles({ redemption, callback }: BootstrapSpec): ServerFile[] {
  if (!redemption) return [];
  const { provisioningId, attempt, token } = redemption;
  const subject = `${JSON.stringify({ provisioningId, attempt })}\n`;
  return [
    { path: REDEMPTION_FILE, permissions: SECRET, content: callbackFile(redemption) },
    { path: REDEMPTION_SUBJECT_FILE, permissions: SECRET, content: subject },
    inFolder('redeem.py', SCRIPT, REDEMPTION_SCRIPT),
    ...(callback ? [{ path: CALLBACK_FILE, permissions: SECRET, content: callbackFile({ ...callback, token }) }] : []),
  ];
}

function inFolder(name: string, permissions: string, content: string): ServerFile {
  return { path: `${AGENT_MANAGER_FOLDER}/${name}`, permissions, content };
}

function unit(name: string, content: string): ServerFile {
  return { path: `/etc/systemd/system/agent-manager-${name}`, permissions: OPEN, content };
}
