import { RefusedError } from './refused.error';

const TOKEN = /\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([^}]*)\}|)/g;
const BRACED = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])(.*))?$/s;

/** Replaces `$NAME` and `${NAME…}` by Compose's rules; `$$` is one dollar. @throws RefusedError on anything else */
export function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(TOKEN, (token, escaped?: string, name?: string, braced?: string) => {
    if (escaped) return '$';
    if (name !== undefined) return variables[name] ?? '';
    const match = braced === undefined ? null : BRACED.exec(braced);
    if (!match) throw new RefusedError(`Compose: invalid interpolation format near ${JSON.stringify(token)}`);
    const [, variable = '', operator = '', operand = ''] = match;
    return substitute(variables[variable], operator, operand, variable);
  });
}

function substitute(value: string | undefined, operator: string, operand: string, name: string): string {
  const isSet = value !== undefined && (!operator.startsWith(':') || value !== '');
  switch (operator.at(-1)) {
    case '-':
      return isSet ? (value ?? '') : operand;
    case '+':
      return isSet ? operand : '';
    case '?':
      if (!isSet) throw new RefusedError(`Compose: required variable ${name} is missing: ${operand}`);
  }
  return value ?? '';
}
