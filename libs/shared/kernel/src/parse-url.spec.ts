import { parseUrl } from './parse-url';

describe('parseUrl', () => {
  it.each(['', 'no url', 'https://', 'https://[::1', 'https://a b/'])('finds none in %j', (text) => {
    expect(parseUrl(text)).toBeNull();
  });

  it('answers the same for names with other than ASCII letters, however often it is asked', () => {
    const refused = Array.from({ length: 50_000 }, () => parseUrl('https://bücher.example/a')).filter((url) => !url);
    expect(refused).toHaveLength(0);
  });
});
