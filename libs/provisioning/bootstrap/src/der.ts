// The few parts of DER (X.690) that a certificate is made of.

/** A value behind its tag and length. */
export function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  if (value.length < 0x80) return Buffer.concat([Buffer.from([tag, value.length]), value]);
  const hex = value.length.toString(16);
  const length = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, value]);
}

export const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts);
export const setOf = (...parts: readonly Buffer[]) => der(0x31, ...parts);
export const octets = (value: Buffer) => der(0x04, value);
export const bits = (value: Buffer, unused = 0) => der(0x03, Buffer.from([unused]), value);
export const text = (value: string) => der(0x0c, Buffer.from(value, 'utf8'));
export const TRUE = der(0x01, Buffer.from([0xff]));

/** @param value as bytes; the first bit must be 0, or it would be a negative number */
export const integer = (value: Buffer) => der(0x02, value);

/** @param dotted such as `2.5.4.3` */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const base128 = (value: number): number[] => {
    const digits = [value & 0x7f];
    for (let more = value >>> 7; more > 0; more >>>= 7) digits.unshift(0x80 | (more & 0x7f));
    return digits;
  };
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** To the second; two digits for the year until 2049, as RFC 5280 wants it. */
export function time(at: Date): Buffer {
  const digits = `${at.toISOString().replace(/\.\d+Z$|[-:T]/g, '')}Z`;
  return at.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}
