import { randomBytes } from 'node:crypto';
import { placeIn, SEALED_COLUMNS } from './sealed-columns';
import { SecretBox, sealedKeyId } from './secret-box';
import { SealedValueError } from './sealed-value.error';

const place = placeIn(SEALED_COLUMNS[1], '1');
const places = SEALED_COLUMNS.flatMap((column) => ['1', '2', ''].map((rowId) => placeIn(column, rowId)));

function refusal(open: () => string): SealedValueError {
  try {
    open();
  } catch (error) {
    if (error instanceof SealedValueError) return error;
  }
  throw new Error('It was opened');
}

describe('SecretBox', () => {
  const key = randomBytes(32);
  const box = new SecretBox([key]);

  it('opens what it sealed, and never seals the same value the same way twice', () => {
    const sealed = box.seal('pässwörd\n$', place);
    expect(box.open(sealed, place)).toBe('pässwörd\n$');
    expect(sealed).not.toContain('pässwörd');
    expect(box.seal('pässwörd\n$', place)).not.toBe(sealed);
  });

  it.each(places)('opens what was sealed for %j nowhere else, and says where it stands', (from) => {
    const sealed = box.seal('x-secret', from);
    for (const to of places) {
      if (to === from) {
        expect(box.open(sealed, to)).toBe('x-secret');
        continue;
      }
      const { trouble, message } = refusal(() => box.open(sealed, to));
      expect(trouble).toBe('not-authentic');
      expect(message).toMatch(`${to.table}.${to.column} of row ${to.rowId} does not open with its key`);
      expect(message).not.toMatch(/x-secret|base64/);
    }
  });

  it('refuses an altered value', () => {
    const sealed = box.seal('some secret', place);
    const flipped = sealed.slice(0, -2) + (sealed.endsWith('A') ? 'BB' : 'AA');
    expect(refusal(() => box.open(flipped, place)).trouble).toBe('not-authentic');
  });

  it.each(['', 'sealed', 'v1.x.y', 'v2.00000000.AAAA', '{}'])('refuses %j, which is no sealed value', (value) => {
    expect(refusal(() => box.open(value, place))).toMatchObject({ trouble: 'not-authentic', keyId: null });
    expect(sealedKeyId(value)).toBeNull();
  });

  it('refuses what is too short to be authentic', () => {
    const short = `v1.${box.sealingKeyId}.${Buffer.alloc(20).toString('base64url')}`;
    expect(refusal(() => box.open(short, place)).trouble).toBe('not-authentic');
  });

  it('opens with an older key after rotation, and seals with the newest', () => {
    const rotated = new SecretBox([randomBytes(32), key]);
    expect(rotated.open(box.seal('x', place), place)).toBe('x');
    expect(() => box.open(rotated.seal('x', place), place)).toThrow(/not among ENCRYPTION_KEYS/);
    expect(rotated.keyIds).toEqual([rotated.sealingKeyId, box.sealingKeyId]);
    expect(sealedKeyId(rotated.seal('x', place))).toBe(rotated.sealingKeyId);
  });

  it('derives one secret per purpose and sealing key', () => {
    expect(box.derive('a')).toMatch(/^[\w-]{43}$/);
    expect(new SecretBox([key, randomBytes(32)]).derive('a')).toBe(box.derive('a'));
    expect(box.derive('b')).not.toBe(box.derive('a'));
    expect(new SecretBox([randomBytes(32), key]).derive('a')).not.toBe(box.derive('a'));
  });

  it('derives the same from the installation’s secret, whichever keys there are', () => {
    const secret = randomBytes(32);
    const [before, after] = [new SecretBox([key], secret), new SecretBox([randomBytes(32)], secret)];
    expect(after.derive('a')).toBe(before.derive('a'));
    expect(before.derive('a')).not.toBe(box.derive('a'));
    expect(before.derive('b')).not.toBe(before.derive('a'));
  });

  it('derives by every key, the sealing key first, as earlier releases did', () => {
    const newer = randomBytes(32);
    const each = new SecretBox([newer, key], randomBytes(32)).deriveByKeys('a');
    expect(each).toEqual([new SecretBox([newer]).derive('a'), box.derive('a')]);
  });

  it('refuses no key and keys of a wrong length', () => {
    expect(() => new SecretBox([])).toThrow(/at least one/);
    expect(() => new SecretBox([randomBytes(16)])).toThrow(/32 bytes/);
  });
});
