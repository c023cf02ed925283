import { AppError } from '@agent-controller/kernel';
import { gzipSync } from 'node:zlib';
import type { BootstrapSpec } from './bootstrap-spec';
import { AGENT_MANAGER_FOLDER } from './agent-manager-folder';
import { BOOTSTRAP_SCRIPT } from './bootstrap-script';
import { callbackFile } from './callback-file';
import { RENEWAL_SERVICE, RENEWAL_TIMER, renewalScript } from './certificate-renewal';
import { composeFile, composeOverrideFile } from './compose-files';
import { METADATA_SERVICE, USER_DATA_SERVICE } from './metadata-guard';
import { proxyFile } from './proxy-file';
import { CALLBACK_FILE, STATUS_REPORT, STATUS_TMPFILES } from './status-report';
import { yamlDocument } from './yaml-document';

interface ServerFile {
  path: string;
  permissions: string;
  content: string;
}

/** Length of user data as sent. */
export function userDataBytes(userData: string): number {
  return Buffer.byteLength(userData, 'utf8');
}

/**
 * The user data of one server: one `#cloud-config` document for cloud-init, the same bytes for the same spec.
 * Files are compressed only where the plain document would be too long for the provider.
 * @throws AppError `user-data-too-large` when it does not fit even so
 */
export function renderUserData(spec: BootstrapSpec, { maxBytes }: { maxBytes: number }): string {
  const files = serverFiles(spec);
  const plain = cloudConfig(files.map((file) => ({ ...fileHeader(file), content: file.content })));
  if (userDataBytes(plain) <= maxBytes) return plain;
  const compressed = cloudConfig(
    files.map((file) => ({
      ...fileHeader(file),
      encoding: 'gz+b64',
      content: gzipSync(file.content, { level: 9 }).toString('base64'),
    })),
  );
  if (userDataBytes(compressed) <= maxBytes) return compressed;
  throw new AppError(
    'user-data-too-large',
    `The values make ${userDataBytes(compressed)} bytes of user data, compressed; the provider takes ${maxBytes}. ` +
      'Shorten environment, gitPrivateKey or other long values.',
  );
}

function cloudConfig(writeFiles: object[]): string {
  const document = yamlDocument({
    package_update: false,
    // Costs a minute or more; unattended-upgrades does it once the agent is up.
    package_upgrade: false,
    ssh_pwauth: false,
    write_files: writeFiles,
    runcmd: [['bash', `${AGENT_MANAGER_FOLDER}/bootstrap.sh`]],
  });
  return `#cloud-config\n${document}`;
}

function fileHeader({ path, permissions }: ServerFile) {
  return { path, owner: 'root:root', permissions };
}

function unit(name: string, content: string): ServerFile {
  return { path: `/etc/systemd/system/agent-manager-${name}`, permissions: '0644', content };
}

function serverFiles(spec: BootstrapSpec): ServerFile[] {
  const secret = '0600';
  const script = '0700';
  const inFolder = (name: string, permissions: string, content: string) => ({
    path: `${AGENT_MANAGER_FOLDER}/${name}`,
    permissions,
    content,
  });
  return [
    inFolder('docker-compose.yml', secret, composeFile(spec)),
    inFolder('docker-compose.override.yml', secret, composeOverrideFile(spec)),
    inFolder('proxy/Caddyfile', secret, proxyFile(spec.agentWsPort)),
    inFolder('tls/cert.pem', secret, spec.tls.certificatePem),
    inFolder('tls/key.pem', secret, spec.tls.privateKeyPem),
    inFolder('renew-certificate.sh', script, renewalScript(spec.tls.serverName)),
    inFolder('bootstrap.sh', script, BOOTSTRAP_SCRIPT),
    inFolder('report.py', script, STATUS_REPORT),
    ...(spec.callback ? [{ path: CALLBACK_FILE, permissions: secret, content: callbackFile(spec.callback) }] : []),
    { path: '/etc/tmpfiles.d/agent-manager.conf', permissions: '0644', content: STATUS_TMPFILES },
    unit('certificate.service', RENEWAL_SERVICE),
    unit('certificate.timer', RENEWAL_TIMER),
    unit('metadata.service', METADATA_SERVICE),
    unit('user-data.service', USER_DATA_SERVICE),
  ];
}
