import { AppError } from '@agent-controller/kernel';
import { decodeCursor, encodeCursor } from './client-cursor';

const place = { createdAt: new Date('2026-01-02T03:04:05.678Z'), id: '0123abcd-ef01-4000-8000-00000000abcd' };
const encoded = (text: string) => Buffer.from(text).toString('base64url');

describe('the cursor of a page', () => {
  it('comes back as it was, to the millisecond', () => {
    expect(decodeCursor(encodeCursor(place))).toEqual(place);
  });

  it('stands in a URL as it is', () => {
    expect(encodeCursor(place)).toMatch(/^[\w-]+$/);
  });

  it.each([
    ['nothing', ''],
    ['noise', '%%%'],
    ['another text', encoded('hello')],
    ['a time alone', encoded(place.createdAt.toISOString())],
    ['an id alone', encoded(` ${place.id}`)],
    ['no time', encoded(`yesterday ${place.id}`)],
    ['a time of another form', encoded(`2026-01-02 ${place.id}`)],
    ['a day that does not exist', encoded(`2026-02-30T00:00:00.000Z ${place.id}`)],
    ['a time that no database knows', encoded(`-271821-04-20T00:00:00.000Z ${place.id}`)],
    ['an id that is no UUID', encoded(`${place.createdAt.toISOString()} ${'-'.repeat(36)}`)],
    ['an id in capitals', encoded(`${place.createdAt.toISOString()} ${place.id.toUpperCase()}`)],
    ['more than both', encoded(`${place.createdAt.toISOString()} ${place.id} x`)],
    ['a statement', encoded(`${place.createdAt.toISOString()} ${place.id.slice(0, -1)}'`)],
  ])('is refused when it is %s', (_what, cursor) => {
    let error: unknown;
    try {
      decodeCursor(cursor);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('validation-failed');
    expect((error as AppError).options.errors).toEqual([
      { field: 'cursor', message: 'must be taken from the Link header of an earlier page' },
    ]);
  });
});
