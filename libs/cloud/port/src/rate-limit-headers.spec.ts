import { rateLimitNews } from './rate-limit-headers';

const NOW = Date.parse('2026-01-01T00:00:00Z');

describe('rateLimitNews', () => {
  it.each([
    ['nothing', { status: 200 }, {}],
    [
      'what is left',
      { status: 200, headers: { 'ratelimit-limit': '3600', 'ratelimit-remaining': '0' } },
      { limit: 3600, remaining: 0 },
    ],
    ['a limit of nothing, which would stop everything', { status: 200, headers: { 'ratelimit-limit': '0' } }, {}],
    ['what is no number', { status: 200, headers: { 'ratelimit-limit': 'many', 'ratelimit-remaining': '-1' } }, {}],
    ['seconds to wait', { status: 429, headers: { 'retry-after': '17' } }, { retryAfterMs: 17_000 }],
    ['no time to wait', { status: 429, headers: { 'retry-after': '0' } }, { retryAfterMs: 1_000 }],
    [
      'a date to wait for',
      { status: 503, headers: { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' } },
      { retryAfterMs: 30_000 },
    ],
    ['a wait without end', { status: 503, headers: { 'retry-after': '999999999' } }, { retryAfterMs: 3_600_000 }],
    ['a wait that cannot be read', { status: 503, headers: { 'retry-after': 'soon' } }, {}],
    ['a refusal alone', { status: 429 }, { retryAfterMs: 5_000 }],
    ['a refusal with what is left', { status: 429, headers: { 'ratelimit-remaining': '0' } }, { remaining: 0 }],
    ['no answer', {}, {}],
  ])('reads %s', (_what, outcome, news) => {
    expect(JSON.parse(JSON.stringify(rateLimitNews(outcome, NOW)))).toEqual(news);
  });
});
