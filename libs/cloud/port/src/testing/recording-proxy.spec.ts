import { RecordingProxy } from './recording-proxy';
import { json, ScriptedHttp } from './scripted-http';

describe('RecordingProxy', () => {
  let http: ScriptedHttp;
  let proxy: RecordingProxy;
  afterEach(async () => {
    await proxy.close();
    await http.close();
    http.done();
  });

  it('passes on and notes, without headers, and can lose an answer after the work', async () => {
    http = await ScriptedHttp.start([
      { method: 'POST', path: '/a/things', query: { q: '1' }, body: { a: 1 }, answer: json({ b: 2 }, 201, { x: 'y' }) },
      { method: 'POST', path: '/a/things', answer: json({ b: 3 }) },
      { method: 'DELETE', path: '/a/things/1', answer: { status: 204 } },
    ]);
    proxy = await RecordingProxy.start(http.url);
    const post = (path: string) =>
      fetch(proxy.url + path, { method: 'POST', body: '{"a":1}', headers: { t: 'secret' } });
    const answer = await post('/a/things?q=1');
    expect([answer.status, answer.headers.get('x'), await answer.json()]).toEqual([201, 'y', { b: 2 }]);
    proxy.loseNextAnswer('POST');
    await expect(post('/a/things')).rejects.toThrow();
    expect((await fetch(`${proxy.url}/a/things/1`, { method: 'DELETE' })).status).toBe(204);
    expect(http.requests[0]?.headers.t).toBe('secret');
    expect(JSON.stringify(proxy.exchanges)).not.toContain('secret');
    const things = { method: 'POST', path: '/a/things', requestBody: { a: 1 } };
    expect(proxy.exchanges).toEqual([
      { ...things, query: { q: '1' }, status: 201, responseBody: { b: 2 } },
      { ...things, query: {}, status: 200, responseBody: { b: 3 } },
      {
        method: 'DELETE',
        path: '/a/things/1',
        query: {},
        requestBody: undefined,
        status: 204,
        responseBody: undefined,
      },
    ]);
  });
});
