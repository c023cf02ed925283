/** Text from a server, which may say anything: PostgreSQL's jsonb takes neither NUL nor half of a surrogate pair. */
export function storableText(text: string): string {
  return text.replace(/\0|\p{Surrogate}/gu, '\ufffd');
}
