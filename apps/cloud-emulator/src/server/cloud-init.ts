import { load } from 'js-yaml';
import { gunzipSync } from 'node:zlib';
import { RefusedError } from './refused.error';

export interface WrittenFile {
  path: string;
  /** Octal, such as `0600`. */
  permissions: string;
  content: Buffer;
}

export interface CloudConfig {
  files: WrittenFile[];
  /** `runcmd`, as lists of words or shell lines. */
  commands: (string | string[])[];
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/**
 * Reads user data as cloud-init would.
 * @param acceptsBase64 Hetzner's datasource decodes base64, DigitalOcean's does not
 * @throws RefusedError for what cloud-init would ignore or refuse
 */
export function readUserData(userData: string, acceptsBase64: boolean): CloudConfig {
  const text = decode(userData, acceptsBase64);
  if (!/^#cloud-config\s*$/m.test(text.split('\n')[0] ?? '')) {
    throw new RefusedError('The user data does not begin with #cloud-config: cloud-init ignores it');
  }
  const document = parse(text);
  const { write_files: files = [], runcmd: commands = [] } = document;
  if (!Array.isArray(files)) throw new RefusedError('write_files is not a list');
  if (!Array.isArray(commands)) throw new RefusedError('runcmd is not a list');
  return { files: files.map(writtenFile), commands: commands.map(command) };
}

function decode(userData: string, acceptsBase64: boolean): string {
  if (userData.startsWith('#') || !acceptsBase64) return userData;
  const bytes = Buffer.from(userData, 'base64');
  return (bytes.subarray(0, 2).equals(GZIP_MAGIC) ? gunzipSync(bytes) : bytes).toString('utf8');
}

function parse(text: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = load(text);
  } catch (error) {
    throw new RefusedError(`The user data is not YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new RefusedError('The user data is not a mapping');
  }
  return document as Record<string, unknown>;
}

function writtenFile(entry: unknown): WrittenFile {
  const {
    path,
    content = '',
    permissions = '0644',
    encoding = 'text/plain',
  } = (entry ?? {}) as Record<string, unknown>;
  if (typeof path !== 'string' || !path.startsWith('/'))
    throw new RefusedError('A file of write_files has no absolute path');
  if (typeof content !== 'string') throw new RefusedError(`The content of ${path} is not a string`);
  // An unquoted 0600 is a number to YAML: cloud-init takes the mode from the decimal digits it sees, and warns.
  if (typeof permissions !== 'string' || !/^0?[0-7]{3,4}$/.test(permissions)) {
    throw new RefusedError(`The permissions of ${path} are not an octal string`);
  }
  return { path, permissions, content: decodeContent(path, content, String(encoding)) };
}

function decodeContent(path: string, content: string, encoding: string): Buffer {
  try {
    switch (encoding) {
      case 'text/plain':
        return Buffer.from(content, 'utf8');
      case 'b64':
      case 'base64':
        return Buffer.from(content, 'base64');
      case 'gz':
      case 'gzip':
        return gunzipSync(Buffer.from(content, 'latin1'));
      case 'gz+b64':
      case 'gz+base64':
      case 'gzip+b64':
      case 'gzip+base64':
        return gunzipSync(Buffer.from(content, 'base64'));
    }
  } catch {
    throw new RefusedError(`The content of ${path} is not ${encoding}`);
  }
  throw new RefusedError(`The encoding ${encoding} of ${path} is unknown`);
}

function command(entry: unknown): string | string[] {
  if (typeof entry === 'string') return entry;
  if (Array.isArray(entry) && entry.every((word) => typeof word === 'string')) return entry as string[];
  throw new RefusedError('A command of runcmd is neither a string nor a list of strings');
}
