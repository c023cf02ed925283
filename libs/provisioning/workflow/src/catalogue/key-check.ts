import type { SshKey } from '@agent-controller/cloud-port';
import { AppError } from '@agent-controller/kernel';
import type { SshKeyRequest } from '../provision-request';
import type { StoredSshKey } from '../provisioning.types';
import { MAX_ALTERNATIVES, refused } from './order-refusal';

/** Keys that controllers made: nobody has, or needs, their names. */
const OURS = /^agent-controller-/;

export interface KeyCheck {
  /** Each key once, without those that are a problem. */
  keys: StoredSshKey[];
  problems: AppError[];
}

/** @param known the keys of the project */
export function checkKeys(known: readonly SshKey[], wanted: readonly SshKeyRequest[], provider: string): KeyCheck {
  const keys = new Map<string, StoredSshKey>();
  const problems: AppError[] = [];
  for (const key of wanted) {
    const checked = 'publicKey' in key ? key : checkName(known, key.name, provider);
    if (checked instanceof AppError) problems.push(checked);
    else keys.set('publicKey' in checked ? checked.publicKey : checked.id, checked);
  }
  return { keys: [...keys.values()], problems };
}

function checkName(known: readonly SshKey[], name: string, provider: string): StoredSshKey | AppError {
  const [found, ...others] = known.filter((key) => key.name === name);
  if (found && others.length === 0) return { name, id: found.id };
  if (found) {
    const message = `${others.length + 1} SSH keys of the project are named '${name}': rename one, or give the public key`;
    return new AppError('ssh-key-ambiguous', `${message}.`, { errors: [{ field: 'sshKeys', message: `${message}.` }] });
  }
  const names = [...new Set(known.map((key) => key.name))].filter((each) => !OURS.test(each));
  return refused(
    'ssh-key-unknown',
    'sshKeys',
    `The project at ${provider} has no SSH key named '${name}'; a public key can be given instead`,
    names.slice(0, MAX_ALTERNATIVES),
  );
}
