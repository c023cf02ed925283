import { AppError, type FieldError } from '@agent-controller/kernel';
import { ValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { shownName } from './field-name';

const NO_FIELD = 'is not a field of this request';

/** class-validator takes names that every object inherits, such as `constructor`, for names that it knows. */
class StrictPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    const inherited = metadata.type === 'param' ? [] : names.filter((name) => name in Object.prototype);
    if (inherited.length > 0) throw refusal(inherited.map((name) => ({ field: name, message: NO_FIELD })));
    return (await super.transform(value, metadata)) as unknown;
  }
}

/**
 * Most calls have no query. Where a DTO was found to allow that, the next one is not validated again.
 */
class QuickValidationPipe extends StrictPipe {
  readonly #mayBeEmpty = new Set<unknown>();

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { type, metatype } = metadata;
    if (type !== 'query' || !metatype || !isEmpty(value)) return super.transform(value, metadata) as Promise<unknown>;
    if (this.#mayBeEmpty.has(metatype)) return new metatype() as unknown;
    const transformed: unknown = await super.transform(value, metadata);
    this.#mayBeEmpty.add(metatype);
    return transformed;
  }
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** Turns bodies and queries into DTOs. Errors have one entry per field, and never show a value. */
export function validationPipe(): ValidationPipe {
  return new QuickValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => refusal(errors.flatMap((error) => fieldErrors(error))),
  });
}

function refusal(errors: FieldError[]): AppError {
  const names = errors.map(({ field }) => field).join(', ');
  return new AppError('validation-failed', `The request is not valid. See: ${names}.`, { errors });
}

function fieldErrors({ property, constraints = {}, children = [] }: ValidationError, parent = ''): FieldError[] {
  // Entries of lists are numbered: `fallback[1].serverType`.
  const name = shownName(property);
  const field = parent && /^\d+$/.test(name) ? `${parent}[${name}]` : `${parent && `${parent}.`}${name}`;
  const [constraint] = Object.entries(constraints);
  const own = constraint ? [{ field, message: message(constraint) }] : [];
  return [...own, ...children.flatMap((child) => fieldErrors(child, field))];
}

function message([name, text]: [string, string]): string {
  return name === 'whitelistValidation' ? NO_FIELD : text;
}
