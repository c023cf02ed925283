import { isGitUrl } from '@agent-controller/validation';
import { ValidateBy } from 'class-validator';

// By the text, since what no URL parser accepts is shown as well. By http(s), tokens stand in the user's place.
const HIDDEN_CREDENTIAL = /^\s*(https?:\/\/[^/?#]*@|[a-z][a-z0-9+.-]*:\/\/[^/?#@]*:[^/?#]*@)/i;

/** The URL is shown to callers, so no password or token may be hidden in it; and `git` must read it as a place. */
export function gitUrlProblem(value: string): string | null {
  if (HIDDEN_CREDENTIAL.test(value))
    return 'must not hold a password, nor a user by http(s): use gitUsername with gitToken or gitPassword';
  if (isGitUrl(value)) return null;
  return 'must be a Git URL: https://host/path, ssh://user@host/path or user@host:path';
}

/** Other types are left to the decorators beside it. */
export function IsGitUrl(): PropertyDecorator {
  const problem = (value: unknown) => (typeof value === 'string' ? gitUrlProblem(value) : null);
  return ValidateBy({
    name: 'isGitUrl',
    validator: {
      validate: (value) => problem(value) === null,
      defaultMessage: (args) => problem(args?.value) ?? '',
    },
  });
}
