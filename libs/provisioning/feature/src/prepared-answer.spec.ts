import { PreparedAnswer } from './prepared-answer';

describe('PreparedAnswer', () => {
  function send(answer: PreparedAnswer, tag?: string) {
    const sent = { status: 200, headers: {} as Record<string, string>, body: undefined as unknown };
    const reply = {
      headers: (headers: Record<string, string>) => Object.assign(sent.headers, headers),
      status: (status: number) => {
        sent.status = status;
        return reply;
      },
      send: (body?: unknown) => {
        sent.body = body;
        return reply;
      },
    };
    answer.send({ headers: tag === undefined ? {} : { 'if-none-match': tag } }, reply as never);
    return sent;
  }
  const answer = new PreparedAnswer([{ id: 'cx23', price: 4.15 }]);
  const { etag = '' } = send(answer).headers;

  it('is JSON with a tag, which callers may keep for themselves', () => {
    const { status, headers, body } = send(answer);
    expect([status, body]).toEqual([200, '[{"id":"cx23","price":4.15}]']);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(headers['cache-control']).toMatch(/^private, max-age=60\b/);
    expect(etag).toMatch(/^"[\w-]{27}"$/);
  });

  it('has the same tag wherever it was made, and another one for another content', () => {
    expect(send(new PreparedAnswer([{ id: 'cx23', price: 4.15 }])).headers['etag']).toBe(etag);
    expect(send(new PreparedAnswer([{ id: 'cx23', price: 4.16 }])).headers['etag']).not.toBe(etag);
  });

  it.each([
    ['the tag', () => etag],
    ['the tag as a weak one', () => `W/${etag}`],
    ['the tag among others', () => `"other", ${etag}`],
    ['any', () => '*'],
  ])('is 304 without a body for who has it: %s', (_what, tag) => {
    expect(send(answer, tag())).toMatchObject({ status: 304, body: undefined, headers: { etag } });
  });

  it('is sent to who has another one', () => {
    expect(send(answer, '"other"').status).toBe(200);
  });
});
