import { findSecrets, formsOf, judge, marker } from './secret-search';

const secret = marker('secret');
const found = (text: string) => findSecrets([{ place: 'log', text }], [secret]);

describe('the search for secrets', () => {
  it.each<[string, (value: string) => string]>([
    ['plain', (value) => value],
    ['in JSON in JSON', (value) => JSON.stringify(JSON.stringify({ value }))],
    ['in a URL', (value) => `https://user:${encodeURIComponent(value)}@host`],
    ['as hexadecimal', (value) => Buffer.from(`x${value}y`).toString('hex')],
    ['as HEXADECIMAL', (value) => Buffer.from(`x${value}y`).toString('hex').toUpperCase()],
    ['as base64', (value) => Buffer.from(value).toString('base64')],
    ['as base64 after one byte', (value) => Buffer.from(`x${value}yy`).toString('base64')],
    ['as base64 after two bytes', (value) => Buffer.from(`xy${value}`).toString('base64')],
    ['as base64url in the middle', (value) => Buffer.from(`{"a":"${value}","b":1}`).toString('base64url')],
  ])('finds one %s', (_how, encode) => {
    expect(found(`some words, then ${encode(secret.value)} and more`)).toEqual([{ place: 'log', marker: 'secret' }]);
  });

  it('finds what has special characters, and any line of several', () => {
    const strange = { name: 'strange', value: 'qu"ote\\and/ü+ß?' };
    const key = { name: 'key', value: '-----BEGIN KEY-----\nMIGHAgEAMBMG\nSM49AwEHBG0w\n-----END KEY-----\n' };
    const texts = [JSON.stringify(strange), encodeURIComponent(strange.value), 'x SM49AwEHBG0w', '-----BEGIN KEY-----'];
    expect(
      findSecrets(
        texts.map((text, place) => ({ place: String(place), text })),
        [strange, key],
      ),
    ).toEqual([
      { place: '0', marker: 'strange' },
      { place: '1', marker: 'strange' },
      { place: '2', marker: 'key' },
    ]);
  });

  it('finds nothing where nothing is', () => {
    expect(found(`mk${'0'.repeat(20)} ${Buffer.from('other words').toString('base64')}`)).toEqual([]);
    expect(formsOf(secret.value).every((form) => form.length > 15)).toBe(true);
  });

  it('tells leaks, and allowed places that have nothing', () => {
    const allowed = [
      { place: /^answer$/, marker: /^key$/ },
      { place: /^replay$/, marker: /^key$/ },
    ];
    const findings = [
      { place: 'answer', marker: 'key' },
      { place: 'answer', marker: 'other' },
    ];
    expect(judge(findings, allowed)).toEqual({ leaks: [{ place: 'answer', marker: 'other' }], unused: ['/^replay$/'] });
  });
});
