import { checkKeys } from './key-check';

const known = [
  { id: '1', name: 'laptop' },
  { id: '2', name: 'shared' },
  { id: '3', name: 'shared' },
  { id: '4', name: 'agent-controller-7c2a3c0e' },
];
const PUBLIC_KEY = 'ssh-ed25519 AAAA';

describe('checkKeys', () => {
  it('takes names that the project has, and public keys, each once', () => {
    const wanted = [{ name: 'laptop' }, { publicKey: PUBLIC_KEY }, { name: 'laptop' }, { publicKey: PUBLIC_KEY }];
    expect(checkKeys(known, wanted, 'hetzner')).toEqual({
      keys: [{ name: 'laptop', id: '1' }, { publicKey: PUBLIC_KEY }],
      problems: [],
    });
  });

  it('refuses each name that is not there, and names the keys that are, but none of ours', () => {
    const { keys, problems } = checkKeys(known, [{ name: 'a' }, { name: 'laptop' }, { name: 'b' }], 'Hetzner Cloud');
    expect(keys).toEqual([{ name: 'laptop', id: '1' }]);
    expect(problems.map(({ code }) => code)).toEqual(['ssh-key-unknown', 'ssh-key-unknown']);
    const message =
      "The project at Hetzner Cloud has no SSH key named 'a'; a public key can be given instead. " +
      'Use one of: laptop, shared.';
    expect(problems[0]).toMatchObject({ message, options: { errors: [{ field: 'sshKeys', message }] } });
  });

  it('refuses a name that several keys have', () => {
    const { problems } = checkKeys(known, [{ name: 'shared' }], 'hetzner');
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ['ssh-key-ambiguous', expect.stringMatching("^2 SSH keys of the project are named 'shared'")],
    ]);
  });
});
