import { ConnectionLimit } from './connection-limit';

const never = () => new AbortController().signal;

/** Work that ends when it is told to. */
function task(name: string, started: string[]) {
  let end: (error?: Error) => void = () => undefined;
  const done = new Promise<void>((resolve, reject) => (end = (error) => (error ? reject(error) : resolve())));
  const work = () => {
    started.push(name);
    return done;
  };
  return { work, end };
}

/** Long enough for every promise that can go on to do so. */
const settled = () => new Promise(setImmediate);

describe('ConnectionLimit', () => {
  it('lets so many through, and the others in their order', async () => {
    const limit = new ConnectionLimit(2);
    const started: string[] = [];
    const tasks = ['a', 'b', 'c', 'd'].map((name) => task(name, started));
    const runs = tasks.map(({ work }) => limit.run(never(), work));
    await settled();
    expect(started).toEqual(['a', 'b']);
    tasks[1]!.end();
    await settled();
    expect(started).toEqual(['a', 'b', 'c']);
    tasks[0]!.end();
    await settled();
    expect(started).toEqual(['a', 'b', 'c', 'd']);
    tasks.forEach(({ end }) => end());
    await Promise.all(runs);
  });

  it('makes room after work that failed, and passes the failure on', async () => {
    const limit = new ConnectionLimit(1);
    await expect(limit.run(never(), () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
    expect(await limit.run(never(), () => Promise.resolve('next'))).toBe('next');
  });

  it('forgets who gives up waiting, and starts nothing for an aborted signal', async () => {
    const limit = new ConnectionLimit(1);
    const started: string[] = [];
    const [first, second, third] = ['first', 'second', 'third'].map((name) => task(name, started));
    const gone = new AbortController();
    const running = limit.run(never(), first!.work);
    const waiting = limit.run(gone.signal, second!.work);
    const last = limit.run(never(), third!.work);
    gone.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    first!.end();
    await running;
    await settled();
    expect(started).toEqual(['first', 'third']);
    third!.end();
    await last;
    await expect(limit.run(gone.signal, second!.work)).rejects.toThrow('gone');
    expect(started).toEqual(['first', 'third']);
  });

  it('lets nobody overtake who waits', async () => {
    const limit = new ConnectionLimit(1);
    const started: string[] = [];
    const [first, second, third] = ['first', 'second', 'third'].map((name) => task(name, started));
    const running = limit.run(never(), first!.work);
    const waiting = limit.run(never(), second!.work);
    first!.end();
    // Comes at the very moment at which the place is given on.
    const late = running.then(() => limit.run(never(), third!.work));
    await settled();
    expect(started).toEqual(['first', 'second']);
    second!.end();
    third!.end();
    await Promise.all([waiting, late]);
  });

  it('can be made wider for those who wait', async () => {
    const limit = new ConnectionLimit(1);
    const started: string[] = [];
    const tasks = ['a', 'b'].map((name) => task(name, started));
    const runs = tasks.map(({ work }) => limit.run(never(), work));
    limit.resize(2);
    await settled();
    expect(started).toEqual(['a', 'b']);
    tasks.forEach(({ end }) => end());
    await Promise.all(runs);
  });
});
