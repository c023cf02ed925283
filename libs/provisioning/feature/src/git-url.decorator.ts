import { ValidateBy } from 'class-validator';

// By the text, since what no URL parser accepts is shown as well. By http(s), tokens stand in the user's place.
const HIDDEN_CREDENTIAL = /^\s*(https?:\/\/[^/?#]*@|[a-z][a-z0-9+.-]*:\/\/[^/?#@]*:[^/?#]*@)/i;

/** The URL is shown to callers, so no password or token may be hidden in it. */
export function IsGitUrl(): PropertyDecorator {
  return ValidateBy({
    name: 'isGitUrl',
    validator: {
      validate: (value) => !(typeof value === 'string' && HIDDEN_CREDENTIAL.test(value)),
      defaultMessage: () =>
        'must not hold a password, nor a user by http(s): use gitUsername with gitToken or gitPassword',
    },
  });
}
