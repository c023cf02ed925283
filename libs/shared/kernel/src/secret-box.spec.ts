import { randomBytes } from 'node:crypto';
import { SecretBox } from './secret-box';

const place = { table: 'clients', column: 'credentials', rowId: '1' };

describe('SecretBox', () => {
  const key = randomBytes(32);
  const box = new SecretBox([key]);

  it('opens what it sealed, and never seals the same value the same way twice', () => {
    const sealed = box.seal('pässwörd\n$', place);
    expect(box.open(sealed, place)).toBe('pässwörd\n$');
    expect(sealed).not.toContain('pässwörd');
    expect(box.seal('pässwörd\n$', place)).not.toBe(sealed);
  });

  it.each([{ table: 'other' }, { column: 'other' }, { rowId: '2' }])('refuses a value moved to %j', (elsewhere) => {
    expect(() => box.open(box.seal('x', place), { ...place, ...elsewhere })).toThrow();
  });

  it('refuses an altered value', () => {
    const sealed = box.seal('some secret', place);
    const flipped = sealed.slice(0, -2) + (sealed.endsWith('A') ? 'BB' : 'AA');
    expect(() => box.open(flipped, place)).toThrow();
  });

  it('opens with an older key after rotation, and seals with the newest', () => {
    const rotated = new SecretBox([randomBytes(32), key]);
    expect(rotated.open(box.seal('x', place), place)).toBe('x');
    expect(() => box.open(rotated.seal('x', place), place)).toThrow(/not among ENCRYPTION_KEYS/);
  });

  it('derives one secret per purpose and sealing key', () => {
    expect(box.derive('a')).toMatch(/^[\w-]{43}$/);
    expect(new SecretBox([key, randomBytes(32)]).derive('a')).toBe(box.derive('a'));
    expect(box.derive('b')).not.toBe(box.derive('a'));
    expect(new SecretBox([randomBytes(32), key]).derive('a')).not.toBe(box.derive('a'));
  });

  it('derives by every key, the sealing key first', () => {
    const newer = randomBytes(32);
    const each = new SecretBox([newer, key]).deriveEach('a');
    expect(each).toEqual([new SecretBox([newer]).derive('a'), box.derive('a')]);
  });

  it('refuses no key and keys of a wrong length', () => {
    expect(() => new SecretBox([])).toThrow(/at least one/);
    expect(() => new SecretBox([randomBytes(16)])).toThrow(/32 bytes/);
  });
});
