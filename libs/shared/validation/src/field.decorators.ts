import { parseUrl } from '@agent-controller/kernel';
import { isCatalogueId, isImageReference, isRealmName } from './grammar';
import { ValidateBy, ValidateIf, type ValidationOptions } from 'class-validator';

const HOSTNAME_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
// Stricter than the URL parser, which forgives white space, missing slashes and an empty query: paths are appended to
// the text as it stands.
const BASE_URL = /^[a-z]+:\/\/[^\s\p{C}/?#@\\]+(\/[^\s\p{C}?#\\]*)?$/iu;

function rule(name: string, validate: (value: unknown) => boolean, message: string, options?: ValidationOptions) {
  return ValidateBy({ name, validator: { validate, defaultMessage: () => message } }, options);
}

/** Absent or valid; unlike class-validator's own, null is not "absent". */
export function IsAbsentOr(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}

/** A hostname label (RFC 1123), lower case, since servers are named after clients. */
export function IsClientName(): PropertyDecorator {
  return rule(
    'isClientName',
    (value) => typeof value === 'string' && HOSTNAME_LABEL.test(value),
    'must be a hostname label: 1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends',
  );
}

/** What can stand in an HTTP header as a credential. */
export function IsHeaderToken(): PropertyDecorator {
  return rule(
    'isHeaderToken',
    (value) => typeof value === 'string' && /^[\x21-\x7e]{1,4096}$/.test(value),
    'must be 1 to 4096 printable ASCII characters without spaces, since it is sent in an HTTP header',
  );
}

/** A container image: `[registry[:port]/]path[:tag][@digest]`. */
export function IsImageReference(): PropertyDecorator {
  return rule(
    'isImageReference',
    (value) => typeof value === 'string' && isImageReference(value),
    'must be a container image: [registry[:port]/]path[:tag][@digest], such as ghcr.io/team/worker:1',
  );
}

/** An id of a provider, a server type, a location or an image. */
export function IsCatalogueId(): PropertyDecorator {
  return rule(
    'isCatalogueId',
    (value) => typeof value === 'string' && isCatalogueId(value),
    'must be an id: letters, digits, ".", "_" and "-", beginning with a letter or digit',
  );
}

export function IsRealmName(): PropertyDecorator {
  return rule(
    'isRealmName',
    (value) => typeof value === 'string' && isRealmName(value),
    'must be the name of a realm: no control characters, and none that a URL reserves',
  );
}

/** An absolute URL by http or https without credentials, query and fragment. */
export function IsBaseUrl(protocols: readonly string[] = ['https:', 'http:']): PropertyDecorator {
  const names = protocols.map((protocol) => `${protocol}//…`).join(' or ');
  return rule(
    'isBaseUrl',
    (value) => isBaseUrl(value, protocols),
    `must be a URL such as ${names}, without user, query and fragment`,
  );
}

function isBaseUrl(value: unknown, protocols: readonly string[]): boolean {
  if (typeof value !== 'string' || value.length > 2048 || !BASE_URL.test(value)) return false;
  return protocols.includes(parseUrl(value)?.protocol ?? '');
}

/** Where the agent-manager's Socket.IO is published. */
export function IsWebSocketPort(): PropertyDecorator {
  return rule(
    'isWebSocketPort',
    (value) =>
      Number.isInteger(value) &&
      (value as number) >= 1 &&
      (value as number) <= 65_535 &&
      value !== 22 &&
      value !== 3000,
    'must be a port number from 1 to 65535, but not 22 (SSH) and not 3000 (REST)',
  );
}

/**
 * A field of one kind of authentication: with another kind it must be absent, and with its own it may be required.
 * The object says its kind in `authenticationType`.
 */
export function BelongsTo(kind: string, { required }: { required: boolean }): PropertyDecorator {
  const isOwn = (body: object) => (body as { authenticationType?: unknown }).authenticationType === kind;
  const onlyThere = ValidateBy({
    name: 'belongsTo',
    validator: {
      validate: (_value, args) => isOwn(args?.object ?? {}),
      defaultMessage: () => `may be given only with authenticationType '${kind}'`,
    },
  });
  const skip = ValidateIf((body: object, value) => value !== undefined || (required && isOwn(body)));
  return (target, property) => {
    skip(target, property);
    onlyThere(target, property);
  };
}

/** At most one of two fields may be given. */
export function NotTogetherWith(other: string): PropertyDecorator {
  return ValidateBy({
    name: 'notTogetherWith',
    validator: {
      validate: (_value, args) => (args?.object as Record<string, unknown>)[other] === undefined,
      defaultMessage: () => `must not be given together with ${other}: give one of both`,
    },
  });
}
