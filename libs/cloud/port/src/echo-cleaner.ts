import type { Secret } from '@agent-controller/kernel';

const REDACTED = '[redacted]';
/** Longest text of a provider that is kept. */
const MAX_TEXT = 500;
/** Longest that is looked at. */
const MAX_READ = 2_000;
/** So many characters in a row that stand in the request as well are an echo of it, and no chance. */
const ECHO_LENGTH = 16;
/** No sentence for people has such words; an encoded secret has. Providers' ids have up to 36 characters. */
const LONG_WORD = /[\w+/=%-]{40,}/g;

/**
 * Cuts out of a provider's words what it, or a proxy before it, may echo: the token, pieces of the user data (plain or as
 * it stands in JSON), and words that are too long for any but encoded text.
 * @param userData of the request, where it had any
 */
export function echoCleaner(token: Secret, userData = ''): (text: string) => string {
  const escaped = JSON.stringify(userData).slice(1, -1);
  const sent = [userData, escaped, JSON.stringify(escaped).slice(1, -1)].filter(
    (form, index, forms) => form !== '' && forms.indexOf(form) === index,
  );
  return (text) => {
    const read = text.replaceAll(token.reveal(), REDACTED).slice(0, MAX_READ);
    return withoutEchoes(read, sent).replace(LONG_WORD, REDACTED).slice(0, MAX_TEXT);
  };
}

function withoutEchoes(text: string, sent: readonly string[]): string {
  const isEcho = new Uint8Array(text.length);
  for (let at = 0; at + ECHO_LENGTH <= text.length; at++) {
    const piece = text.slice(at, at + ECHO_LENGTH);
    if (sent.some((form) => form.includes(piece))) isEcho.fill(1, at, at + ECHO_LENGTH);
  }
  let clean = '';
  for (let at = 0; at < text.length; at++) {
    if (!isEcho[at]) clean += text[at];
    else if (!isEcho[at - 1]) clean += REDACTED;
  }
  return clean;
}
