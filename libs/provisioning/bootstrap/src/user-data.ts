import { AppError } from '@agent-controller/kernel';
import { gzipSync } from 'node:zlib';
import { AGENT_MANAGER_FOLDER } from './agent-manager-folder';
import type { BootstrapSpec } from './bootstrap-spec';
import { userDataFiles, type ServerFile } from './server-files';
import { yamlDocument } from './yaml-document';

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
  const files = userDataFiles(spec);
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
