import { randomBytes } from 'node:crypto';

/** A secret that must not be seen, by a name that may be. */
export interface Marker {
  name: string;
  value: string;
}

/** Unmistakable, and the same in JSON, YAML, URLs and shells. */
export function marker(name: string): Marker {
  return { name, value: `mk${randomBytes(10).toString('hex')}` };
}

/** Something that came out of the system, and where. */
export interface Output {
  place: string;
  text: string;
}

export interface Finding {
  place: string;
  marker: string;
}

/** Where which secrets belong. Each must be found there: that shows that the search finds them. */
export interface AllowedPlace {
  place: RegExp;
  marker: RegExp;
}

/** Every marker that stands anywhere in the outputs, plain or encoded; each place and marker once. */
export function findSecrets(outputs: readonly Output[], markers: readonly Marker[]): Finding[] {
  const searched = markers.map((each) => ({ name: each.name, forms: formsOf(each.value) }));
  const found = new Map<string, Finding>();
  for (const { place, text } of outputs) {
    for (const { name, forms } of searched) {
      if (forms.some((form) => text.includes(form))) found.set(`${place}\n${name}`, { place, marker: name });
    }
  }
  return [...found.values()];
}

/** @returns what was found where it must not be, and the allowed places without their secrets */
export function judge(found: readonly Finding[], allowed: readonly AllowedPlace[]) {
  const fits = (finding: Finding, { place, marker: name }: AllowedPlace) =>
    place.test(finding.place) && name.test(finding.marker);
  return {
    leaks: found.filter((finding) => !allowed.some((each) => fits(finding, each))),
    unused: allowed.filter((each) => !found.some((finding) => fits(finding, each))).map(({ place }) => String(place)),
  };
}

/** A secret as it may stand in a text: each of its lines, escaped, and encoded wherever it begins. */
export function formsOf(value: string): string[] {
  const lines = value.split(/\r?\n/).filter((line) => line.length > 7 && !line.startsWith('-----'));
  const forms = [...new Set(lines)].flatMap((line) => [
    line,
    JSON.stringify(line).slice(1, -1),
    encodeURIComponent(line),
    Buffer.from(line).toString('hex'),
    Buffer.from(line).toString('hex').toUpperCase(),
    ...[0, 1, 2].flatMap((shift) => base64At(line, shift)),
  ]);
  return [...new Set(forms)];
}

/** What of a value's base64 is the same whatever stands before it and after it. */
function base64At(value: string, shift: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)]);
  const whole = Math.floor(bytes.length / 3) * 4;
  const [begin = 0] = [[0, 2, 3][shift]];
  return (['base64', 'base64url'] as const).map((encoding) => bytes.toString(encoding).slice(begin, whole));
}
