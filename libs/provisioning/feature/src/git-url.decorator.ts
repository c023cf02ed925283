import { ValidateBy } from 'class-validator';

/** The URL is shown to callers, so no password may be hidden in it. */
export function IsGitUrl(): PropertyDecorator {
  return ValidateBy({
    name: 'isGitUrl',
    validator: {
      validate: (value) => !(typeof value === 'string' && URL.canParse(value) && new URL(value).password !== ''),
      defaultMessage: () => 'must not hold a password: use gitUsername with gitToken or gitPassword',
    },
  });
}
