import { ValidateBy } from 'class-validator';
import { sshKeyProblem } from './ssh-public-key';

export const MAX_SSH_KEYS = 20;

/** Names which entry it is, by its number, and never what it holds. */
function sshKeysProblem(value: unknown): string | null {
  if (!Array.isArray(value)) return 'must be an array of names and public keys';
  if (value.length > MAX_SSH_KEYS) return `must not have more than ${MAX_SSH_KEYS} entries`;
  const problems = value.map(sshKeyProblem);
  const index = problems.findIndex((problem) => problem !== null);
  return index < 0 ? null : `has a wrong entry ${index + 1}: it ${problems[index]}`;
}

/** Names of keys in the provider's project, and public keys in OpenSSH's format. */
export function IsSshKeys(): PropertyDecorator {
  return ValidateBy({
    name: 'isSshKeys',
    validator: {
      validate: (value) => sshKeysProblem(value) === null,
      defaultMessage: (args) => sshKeysProblem(args?.value) ?? '',
    },
  });
}
