import { SingleFlight } from './single-flight';

describe('SingleFlight', () => {
  it('begins once for all that come meanwhile, and anew afterwards', async () => {
    const flights = new SingleFlight<string, number>();
    let begun = 0;
    const work = async () => ++begun;
    expect(await Promise.all([flights.run('a', work), flights.run('a', work), flights.run('b', work)])).toEqual([
      1, 1, 2,
    ]);
    expect(await flights.run('a', work)).toBe(3);
  });

  it('shares an error, and keeps none', async () => {
    const flights = new SingleFlight<string, number>();
    const fail = async () => Promise.reject(new Error('refused'));
    const settled = await Promise.allSettled([flights.run('a', fail), flights.run('a', async () => 1)]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await flights.run('a', async () => 1)).toBe(1);
  });

  it('joins nothing that began before, where that is asked for', async () => {
    const flights = new SingleFlight<string, number>();
    let begun = 0;
    const work = async () => ++begun;
    const first = flights.run('a', work);
    const next = [flights.runNext('a', work), flights.runNext('a', work)];
    expect(await first).toBe(1);
    expect(await Promise.all(next)).toEqual([2, 2]);
    const failing = flights.run('a', async () => Promise.reject(new Error('refused')));
    const after = flights.runNext('a', work);
    await expect(failing).rejects.toThrow('refused');
    expect(await after).toBe(3);
  });
});
