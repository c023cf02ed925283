/** One that the providers take; sk-… keys and DSA are not among them. */
const KEY_TYPES = ['ssh-ed25519', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'];
const LOOKS_LIKE_A_TYPE =
  /^(ssh-(rsa|dss|dsa|ed25519|ed448)|ecdsa-sha2-\S+|sk-\S+|[\w.-]+@openssh\.com|ssh-\S+-cert\S*)$/;
// The last is how the body of OpenSSH's own format begins.
const PRIVATE_KEY = /BEGIN [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File|BEGIN SSH2 ENCRYPTED|b3BlbnNzaC1rZXkt/;
/** Base64 as long as this is no name of anything. */
const KEY_MATERIAL = /[A-Za-z0-9+/=]{60,}/;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;

const MAX_NAME_BYTES = 255;
/** An RSA key of 16,384 bits has 2,800 characters. */
const MAX_KEY_BYTES = 4_096;
const MIN_RSA_BITS = 2_048;
const MAX_RSA_BITS = 16_384;
const ED25519_BYTES = 32;
const POINT_BYTES: Record<string, number> = { nistp256: 65, nistp384: 97, nistp521: 133 };

export type SshKeyEntry = { name: string } | { publicKey: string };

/** @param text for which `sshKeyProblem` knows no problem */
export function readSshKey(text: string): SshKeyEntry {
  return isPublicKey(text) ? { publicKey: text.trim().split(/ +/).join(' ') } : { name: text };
}

/** Why an entry is neither a name nor a public key, or null. Never shows the entry: it may be a secret by mistake. */
export function sshKeyProblem(value: unknown): string | null {
  if (typeof value !== 'string' || value.trim() === '') return 'must be a name or a public key';
  if (PRIVATE_KEY.test(value)) {
    return 'is a private key: never send it anywhere, and replace it now. Give the line of its .pub file';
  }
  const maxBytes = isPublicKey(value) ? MAX_KEY_BYTES : MAX_NAME_BYTES;
  if (CONTROL.test(value.trim())) return 'must be one line, without control characters';
  if (/\p{Surrogate}/u.test(value)) return 'must be well-formed Unicode';
  if (isPublicKey(value)) {
    const tooLong = Buffer.byteLength(value) > maxBytes ? `must not be longer than ${maxBytes} bytes` : null;
    return tooLong ?? publicKeyProblem(value);
  }
  if (KEY_MATERIAL.test(value)) {
    return 'is no name, and no public key: that begins with its type, such as "ssh-ed25519 AAAA…", and has no options';
  }
  return Buffer.byteLength(value) > maxBytes ? `must not be longer than ${maxBytes} bytes` : null;
}

function isPublicKey(text: string): boolean {
  const [type = '', blob] = text.trim().split(/\s+/);
  return blob !== undefined && LOOKS_LIKE_A_TYPE.test(type);
}

function publicKeyProblem(text: string): string | null {
  const [type = '', base64 = ''] = text.trim().split(/\s+/);
  if (!KEY_TYPES.includes(type))
    return `is a key of the type '${type.slice(0, 40)}'; use one of: ${KEY_TYPES.join(', ')}`;
  const blob = Buffer.from(base64, 'base64');
  if (blob.toString('base64') !== base64) return 'is a public key whose second word is not base64: it may be cut off';
  const fields = readFields(blob);
  if (!fields) return 'is a public key that is cut off, or has more behind its end';
  if (fields[0]?.toString('latin1') !== type) return `says '${type}', and holds a key of another type`;
  return contentProblem(type, fields.slice(1));
}

/** What RFC 4253, 5656 and 8709 say that a key consists of. */
function contentProblem(type: string, fields: Buffer[]): string | null {
  const broken = `is no sound key of the type '${type}'`;
  const [first, second] = fields;
  if (type === 'ssh-ed25519') return fields.length === 1 && first?.length === ED25519_BYTES ? null : broken;
  if (fields.length !== 2 || !first || !second) return broken;
  if (type === 'ssh-rsa') {
    const bits = bitLength(second);
    if (bits < MIN_RSA_BITS) return `is an RSA key of ${bits} bits: it needs ${MIN_RSA_BITS} at least`;
    return bits <= MAX_RSA_BITS && bitLength(first) > 1 ? null : broken;
  }
  const curve = type.slice('ecdsa-sha2-'.length);
  const isUncompressedPoint = second[0] === 4 && second.length === POINT_BYTES[curve];
  return first.toString('latin1') === curve && isUncompressedPoint ? null : broken;
}

/** Each field has its length in 4 bytes before it. @returns null when that does not come out even */
function readFields(blob: Buffer): Buffer[] | null {
  const fields: Buffer[] = [];
  let at = 0;
  while (at < blob.length) {
    if (at + 4 > blob.length) return null;
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) return null;
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

/** Of a positive number, with or without leading zeros. */
function bitLength(number: Buffer): number {
  const start = number.findIndex((byte) => byte !== 0);
  return start < 0 ? 0 : (number.length - start) * 8 - Math.clz32(number[start] ?? 0) + 24;
}
