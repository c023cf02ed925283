import { generateKeyPairSync } from 'node:crypto';
import { readSshKey, sshKeyProblem } from './ssh-public-key';

// Made by ssh-keygen.
const KEYS = {
  ed25519: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM',
  rsa2048:
    'ssh-rsa ' +
    'AAAAB3NzaC1yc2EAAAADAQABAAABAQDX9wkUwIgEqHQSOIF/lTwa4FB4f/p9dUu8eB4v3e6IeWl+IJlApoaCS8AxFTvDPapb5t7P' +
    'zEnMSSe5dsc7qJVD/bQ2P8ypM2jIZUGpivsAfgWYSMY5bZbWAcmMBntPtA+DzOA15B6Wnng4M8q9o1ZSOzO15BPwCzh3DrYv5tRk' +
    '7TlJLdfXRfcfnThDJLwUcSjwwv0eeBA1IBgjoMMnEJm2SAd6ii2jlq8oOyGQ0IG9gyb/DwICZerJOJYGOSNzYhvbmS3LrpaH9Sga' +
    'uMdV6mmNHU5yRWXvTQ8JBPUmD2RutAS61FE22XqtpLr8fPTOHK1A8jmsm1AmQOn12gMN1mzV',
  ecdsa256:
    'ecdsa-sha2-nistp256 ' +
    'AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBK0RWFYkGhJhzrZH32JyzSuvbf1bOxkM/qFJ2bKHRLB7qIik' +
    'OpumUYx1YKL1EC38jLRSG+FjUl+LN1DCSeBw6gM=',
  ecdsa384:
    'ecdsa-sha2-nistp384 ' +
    'AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBLMECMzChgkuoUqbAFEeB3BhfoXZcuz3ofDvL6j2PPdzTaaL' +
    'qaA1JsmX8Vr5YSoMqBPg5X58GUkIl9nPFNSZRY9hNp9irAwVYLogazXsYHRZsG9bjzjydLDnf4d8aY6bkg==',
  ecdsa521:
    'ecdsa-sha2-nistp521 ' +
    'AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAHQzxxuKyyiV750KjZY8wFc7vaDYbbPpYshw57F0YamLClR' +
    '8aot0B4QStC4OmvFj9W/bmBxFJGzJct/ZxsAgxNj2AGRGZzJZaquyMmz9bT0WcPVxTnjTxO1JTrpkODsrs+QY8XhbsNSjHkOIVmC' +
    'eCtMduzRWCoha3x1BngKNZiNveRNYw==',
};
const RSA_1024 =
  'ssh-rsa ' +
  'AAAAB3NzaC1yc2EAAAADAQABAAAAgQCwtCwQ4NJRp30IkWy7iBg6EJnU62e4EG29g9qUTUW+25i0W/7WkXz7AzT7Ioms/SWzYPFX' +
  'HNqzb76rPk1N1EBx60JemxCYt1ndL88X1XUasJ1uqjda5e2JlVGQg8tl61zhMd7hAPGDE56wtyZTJfp/Yf6lmFP3FNX3nWCF9m90' +
  '5w==';

const field = (content: string | Buffer) => {
  const bytes = Buffer.from(content as string, 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const key = (type: string, ...fields: (string | Buffer)[]) =>
  `${type} ${Buffer.concat([type, ...fields].map(field)).toString('base64')}`;

describe('an entry of sshKeys', () => {
  it.each(Object.entries(KEYS))('may be a public key: %s', (_name, publicKey) => {
    for (const text of [publicKey, `${publicKey} me@home`, ` ${publicKey}  a comment with words\n`]) {
      expect(sshKeyProblem(text)).toBeNull();
    }
    expect(readSshKey(` ${publicKey}  me @home `)).toEqual({ publicKey: `${publicKey} me @home` });
  });

  it.each(['laptop', 'My laptop, 2026', 'ssh-rsa', 'ssh-key of mine', 'clé', "Bob's private key", '5'])(
    'may be a name: %s',
    (name) => {
      expect(sshKeyProblem(name)).toBeNull();
      expect(readSshKey(name)).toEqual({ name });
    },
  );

  it.each<[string, unknown, string]>([
    ['no text', 5, 'must be a name or a public key'],
    ['null', null, 'must be a name or a public key'],
    ['nothing', ' ', 'must be a name or a public key'],
    ['a weak RSA key', RSA_1024, 'is an RSA key of 1024 bits: it needs 2048 at least'],
    ['an RSA key of 2047 bits', key('ssh-rsa', '\x03', Buffer.alloc(256, 0x7f)), 'of 2047 bits'],
    [
      'RSA with leading zeros',
      key('ssh-rsa', '\x03', Buffer.concat([Buffer.alloc(200), Buffer.alloc(100, 1)])),
      'bits',
    ],
    ['RSA without an exponent', key('ssh-rsa', '', Buffer.alloc(256, 0xff)), "no sound key of the type 'ssh-rsa'"],
    ['a huge RSA key', key('ssh-rsa', '\x03', Buffer.alloc(2_100, 0xff)), 'no sound key'],
    ['a DSA key', key('ssh-dss', 'a', 'b', 'c', 'd'), "type 'ssh-dss'; use one of: ssh-ed25519"],
    ['a security key', key('sk-ssh-ed25519@openssh.com', 'a', 'ssh:'), "type 'sk-ssh-ed25519@openssh.com'"],
    ['a certificate', key('ssh-ed25519-cert-v01@openssh.com', 'a'), 'use one of'],
    ['a key of another type than it says', KEYS.ed25519.replace('ssh-ed25519', 'ssh-rsa'), 'a key of another type'],
    ['a curve that is another', key('ecdsa-sha2-nistp256', 'nistp384', Buffer.alloc(97, 4)), 'no sound key'],
    ['a compressed point', key('ecdsa-sha2-nistp256', 'nistp256', Buffer.alloc(33, 2)), 'no sound key'],
    ['a short Ed25519 key', key('ssh-ed25519', Buffer.alloc(31)), 'no sound key'],
    ['two Ed25519 keys', key('ssh-ed25519', Buffer.alloc(32), Buffer.alloc(32)), 'no sound key'],
    ['a key that is cut off', KEYS.ed25519.slice(0, -4), 'cut off'],
    ['a key with broken base64', KEYS.ed25519.replace('HJL3', 'HJ*3'), 'not base64'],
    ['a key with more behind it', key('ssh-ed25519', Buffer.alloc(32)).concat('AAAA'), 'cut off'],
    ['a type and nothing', 'ssh-ed25519 AAAA', 'cut off'],
    ['options', `from="10.0.0.1" ${KEYS.ed25519}`, 'has no options'],
    ['a key without its type', KEYS.ed25519.split(' ')[1], 'begins with its type'],
    ['two lines', `${KEYS.ed25519} a\n${KEYS.ed25519} b`, 'must be one line'],
    ['a name with a control character', 'lap\x00top', 'must be one line'],
    ['half a surrogate pair', 'lap\ud800top', 'well-formed'],
    ['a long name', 'x y '.repeat(70), 'not be longer than 255 bytes'],
    ['a long comment', `${KEYS.ed25519} ${'x y '.repeat(1_100)}`, 'not be longer than 4096 bytes'],
  ])('may not be %s', (_what, value, problem) => {
    expect(sshKeyProblem(value)).toMatch(problem);
  });

  it('may not be a private key, and the message shows nothing of it', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const body = pem.split('\n')[1] ?? '';
    const openssh = `-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n-----END OPENSSH PRIVATE KEY-----\n`;
    for (const text of [
      pem,
      openssh,
      openssh.split('\n')[1],
      'PuTTY-User-Key-File-3: ssh-ed25519\nx',
      pem.replace(/\n/g, ' '),
    ]) {
      const problem = sshKeyProblem(text);
      expect(problem).toMatch(/^is a private key: never send it anywhere/);
      expect(problem).not.toContain(body);
    }
    // Without its first line nobody can say what it is; it is refused all the same.
    const bare = sshKeyProblem(body + body);
    expect(bare).toMatch('is no name');
    expect(bare).not.toContain(body);
  });
});
