import { RESERVED_VARIABLES } from '@agent-controller/provisioning-bootstrap';
import { isCommitEmail, isCommitName, textProblem } from '@agent-controller/validation';
import { ValidateBy } from 'class-validator';

const NAME = /^[A-Z_][A-Z0-9_]*$/;
const MAX_NAME = 128;
const MAX_VARIABLES = 200;

/** Variables that git reads, and what would break a commit. */
const GRAMMARS: Record<string, { fits: (text: string) => boolean; problem: string }> = {
  GIT_COMMIT_AUTHOR_NAME: { fits: isCommitName, problem: 'must be one line without < and >' },
  GIT_COMMIT_AUTHOR_EMAIL: { fits: isCommitEmail, problem: 'must be an e-mail address' },
};

/** Why a map of variables cannot be passed on, or null when it can. Names variables, never values. */
export function environmentProblem(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be an object of strings';
  const entries = Object.entries(value);
  if (entries.length > MAX_VARIABLES) return `must not have more than ${MAX_VARIABLES} variables`;
  for (const [name, text] of entries) {
    if (!NAME.test(name) || name.length > MAX_NAME) {
      return `has the name ${JSON.stringify(name.slice(0, MAX_NAME))}: names are A-Z, 0-9 and _, not beginning with a digit`;
    }
    if (RESERVED_VARIABLES.includes(name)) return `must not set ${name}: the controller sets it from its own fields`;
    const problem = text === '' ? null : (textProblem(text) ?? grammarProblem(name, text as string));
    if (problem) return `has a wrong value for ${name}: it ${problem}`;
  }
  return null;
}

function grammarProblem(name: string, text: string): string | null {
  const grammar = GRAMMARS[name];
  return !grammar || grammar.fits(text) ? null : grammar.problem;
}

/** A map of environment variables that the controller does not set itself. */
export function IsEnvironment(): PropertyDecorator {
  return ValidateBy({
    name: 'isEnvironment',
    validator: {
      validate: (value) => environmentProblem(value) === null,
      defaultMessage: (args) => environmentProblem(args?.value) ?? '',
    },
  });
}
