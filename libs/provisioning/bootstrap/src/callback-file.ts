import type { Callback } from './bootstrap-spec';

/** curl's arguments for a report or a redemption, in the syntax of `--config`: the token must not be among a process's arguments. */
export function callbackFile({ url, token, pins }: Callback): string {
  return [
    `url = ${quoted(url)}`,
    `header = ${quoted(`Authorization: Bearer ${token}`)}`,
    `header = ${quoted('Content-Type: application/json')}`,
    ...(pins.length > 0 ? [`pinnedpubkey = ${quoted(pins.map((pin) => `sha256//${pin}`).join(';'))}`] : []),
    '',
  ].join('\n');
}

function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
