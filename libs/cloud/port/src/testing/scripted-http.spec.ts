import { json, ScriptedHttp, type ScriptedStep } from './scripted-http';

describe('ScriptedHttp', () => {
  const step: ScriptedStep = { method: 'GET', path: '/things', query: { page: '1' }, answer: json({ things: [] }) };
  let http: ScriptedHttp;

  const start = async (...steps: ScriptedStep[]) => (http = await ScriptedHttp.start(steps));
  afterEach(() => http.close());

  it('answers what the script says', async () => {
    await start(step, { method: 'POST', path: '/things', body: { a: [1] }, answer: { status: 502, body: '<html>' } });
    expect(await (await fetch(`${http.url}/things?page=1`)).json()).toEqual({ things: [] });
    const second = await fetch(`${http.url}/things`, { method: 'POST', body: '{"a":[1]}' });
    expect([second.status, await second.text()]).toEqual([502, '<html>']);
    expect(() => http.done()).not.toThrow();
  });

  it.each([
    ['another path', '/other?page=1'],
    ['another query', '/things?page=2'],
  ])('fails on %s', async (_, path) => {
    await start(step);
    await fetch(http.url + path);
    expect(() => http.done()).toThrow('The script was not followed');
  });

  it('fails on another body', async () => {
    await start({ ...step, query: undefined, body: { a: 1 }, method: 'POST' });
    await fetch(`${http.url}/things`, { method: 'POST', body: '{"a":2}' });
    expect(() => http.done()).toThrow('body differs');
  });

  it('fails on one request too many, and on one too few', async () => {
    await start(step);
    expect(() => http.done()).toThrow('never asked: GET /things');
    await fetch(`${http.url}/things?page=1`);
    await fetch(`${http.url}/things?page=1`);
    expect(() => http.done()).toThrow('nothing more was expected');
  });

  it.each(['drop', 'cut'] as const)('can %s an answer', async (answer) => {
    await start({ ...step, answer });
    const read = fetch(`${http.url}/things?page=1`).then((response) => response.text());
    await expect(read).rejects.toThrow();
    expect(() => http.done()).not.toThrow();
  });
});
