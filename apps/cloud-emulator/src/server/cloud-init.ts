import { posix } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { RefusedError } from './refused.error';
import { asTree, readYaml } from './yaml-document';

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
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Reads user data as cloud-init would.
 * @param acceptsBase64 Hetzner's datasource decodes base64, DigitalOcean's does not
 * @throws RefusedError for what cloud-init would ignore or refuse
 */
export function readUserData(userData: string, acceptsBase64: boolean): CloudConfig {
  const text = decode(userData, acceptsBase64);
  if (!/^#cloud-config(?:\s|$)/.test(text)) {
    throw new RefusedError('The user data does not begin with #cloud-config: cloud-init ignores it');
  }
  const { write_files: files, runcmd: commands } = readYaml(text, 'The user data', '1.1');
  return { files: writtenFiles(list(files, 'write_files')), commands: list(commands, 'runcmd').map(command) };
}

/** A null is an empty list, as for cloud-init. */
function list(value: unknown, name: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new RefusedError(`${name} is not a list`);
  return value as unknown[];
}

function decode(userData: string, acceptsBase64: boolean): string {
  if (!acceptsBase64 || !BASE64.test(userData)) return userData;
  const bytes = Buffer.from(userData, 'base64');
  try {
    return (bytes.subarray(0, 2).equals(GZIP_MAGIC) ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch {
    throw new RefusedError('The user data is not valid gzip');
  }
}

function writtenFiles(entries: unknown[]): WrittenFile[] {
  const files = new Map<string, WrittenFile>();
  for (const entry of entries) {
    const { append, ...file } = writtenFile(entry);
    const earlier = append ? files.get(file.path)?.content : undefined;
    files.set(file.path, { ...file, content: Buffer.concat([earlier ?? Buffer.alloc(0), file.content]) });
  }
  return [...files.values()];
}

function writtenFile(entry: unknown): WrittenFile & { append: boolean } {
  const tree = asTree(entry, 'An entry of write_files');
  const { path, permissions, append = false } = tree;
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw new RefusedError('A file of write_files has no absolute path');
  }
  const content = tree['content'] ?? '';
  if (typeof content !== 'string') throw new RefusedError(`The content of ${path} is not a string`);
  // Unquoted, 0600 is a number for YAML: its octal digits are lost, and cloud-init's schema refuses it.
  if (permissions !== undefined && (typeof permissions !== 'string' || !/^0?[0-7]{3,4}$/.test(permissions))) {
    throw new RefusedError(`The permissions of ${path} are not an octal string`);
  }
  return {
    path: posix.normalize(path),
    permissions: permissions ?? '0644',
    content: decodeContent(path, content, String(tree['encoding'] ?? 'text/plain')),
    append: append === true,
  };
}

function decodeContent(path: string, content: string, encoding: string): Buffer {
  try {
    switch (encoding.trim().toLowerCase()) {
      case 'text/plain':
        return Buffer.from(content, 'utf8');
      case 'b64':
      case 'base64':
        return base64(content);
      case 'gz':
      case 'gzip':
        return gunzipSync(Buffer.from(content, 'latin1'));
      case 'gz+b64':
      case 'gz+base64':
      case 'gzip+b64':
      case 'gzip+base64':
        return gunzipSync(base64(content));
    }
  } catch {
    throw new RefusedError(`The content of ${path} is not ${encoding}`);
  }
  throw new RefusedError(`The encoding ${encoding} of ${path} is unknown`);
}

function base64(content: string): Buffer {
  const text = content.replace(/\s+/g, '');
  if (!BASE64.test(text)) throw new Error('Not base64');
  return Buffer.from(text, 'base64');
}

function command(entry: unknown): string | string[] {
  if (typeof entry === 'string') return entry;
  const isWord = (word: unknown) => typeof word === 'string' || typeof word === 'number';
  if (Array.isArray(entry) && entry.length > 0 && entry.every(isWord)) return entry.map(String);
  throw new RefusedError('A command of runcmd is neither a string nor a list of strings');
}
