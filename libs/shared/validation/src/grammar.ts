const REPEATED = (part: string, separator: string) => `${part}(?:${separator}${part})*`;

// https://github.com/distribution/reference: [registry[:port]/]path[:tag][@digest]
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const REGISTRY = `(?:${REPEATED(LABEL, '\\.')}|\\[[0-9a-fA-F:.]+\\])(?::\\d{1,5})?`;
const REPOSITORY = REPEATED(REPEATED('[a-z0-9]+', '(?:\\.|__?|-+)'), '/');
const DIGEST = '(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})';
const IMAGE = new RegExp(`^(?:${REGISTRY}/)?${REPOSITORY}(?::\\w[\\w.-]{0,127})?(?:@${DIGEST})?$`);

/** A container image as Docker reads it. */
export function isImageReference(value: string): boolean {
  return IMAGE.test(value);
}

/** An id in a provider's catalogue: `cx23`, `s-1vcpu-1gb`, `fsn1`, `debian-13`, `ubuntu-24.04`, or a number. */
export function isCatalogueId(value: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value);
}

/** Keycloak refuses the same in names of realms; they stand in paths, and `..` would lead elsewhere. */
export function isRealmName(value: string): boolean {
  return !/[\p{C}:/?#@!$&()*+,;=[\]\\%"'<>^`{|}]/u.test(value) && value.trim() === value && !/^\.{1,2}$/.test(value);
}

// Names of hosts may be in other scripts. None begins with a dash: ssh would take that for an option.
const HOST_LABEL = '[\\p{L}\\p{N}_](?:[\\p{L}\\p{N}\\p{M}_-]*[\\p{L}\\p{N}\\p{M}_])?';
const HOST = `(?:${REPEATED(HOST_LABEL, '\\.')}\\.?|\\[[0-9a-fA-F:.]+\\])`;
const USER = '[\\p{L}\\p{N}_][\\p{L}\\p{N}\\p{M}._+-]*';
const SEGMENT = "[\\p{L}\\p{N}\\p{M}._~:@!$&'()*+,;=%-]";
const BY_HTTP = new RegExp(`^https?://${HOST}(?::(\\d{1,5}))?(?:/${SEGMENT}*)+$`, 'iu');
const BY_SSH = new RegExp(`^ssh://(?:${USER}@)?${HOST}(?::(\\d{1,5}))?(?:/${SEGMENT}*)+$`, 'iu');
const LIKE_SCP = new RegExp(`^(?:${USER}@)?${HOST}:(?!//)(?!-)(?:${SEGMENT}|/)+$`, 'u');
const ABSOLUTE_PATH = new RegExp(`^(?:/${SEGMENT}+)+/?$`, 'u');

/** What `git clone` reads as a place, and as nothing else: no option, no transport that runs a program (`ext::…`). */
export function isGitUrl(value: string): boolean {
  const byUrl = BY_HTTP.exec(value) ?? BY_SSH.exec(value);
  if (byUrl) return byUrl[1] === undefined || isPort(Number(byUrl[1]));
  // Meant as a URL, though git would take the scheme for a host.
  if (/^(?:[a-z][a-z0-9+.-]*:(?:\/\/|:)|(?:https?|ssh|ftps?|file|data|javascript):)/i.test(value)) return false;
  return LIKE_SCP.test(value) || ABSOLUTE_PATH.test(value);
}

function isPort(value: number): boolean {
  return value >= 1 && value <= 65_535;
}

/** As git takes it into a commit: one line, without the marks that part name and address. */
export function isCommitName(value: string): boolean {
  return /\S/u.test(value) && !/[\p{C}<>]/u.test(value);
}

export function isCommitEmail(value: string): boolean {
  return /^[^\s\p{C}<>@"(),:;[\]\\]{1,64}@[^\s\p{C}<>@"(),:;[\]\\]{1,255}$/u.test(value);
}
