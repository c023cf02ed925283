import { DatabaseFigures } from './database-figures';

describe('figures of the database', () => {
  let now = 0;
  let asked = 0;
  let answer: () => Promise<unknown>;
  let figures: DatabaseFigures;

  beforeEach(() => {
    now = 1_000;
    asked = 0;
    answer = async () => [{ metric: 'controllers', label: null, label2: null, value: asked }];
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const dataSource = {
      query: () => {
        asked++;
        return answer();
      },
    };
    figures = new DatabaseFigures(dataSource as never, { conditions: async () => [] }, { aliveWithinMs: 15_000 });
  });
  afterEach(() => jest.restoreAllMocks());

  const value = async () => (await figures.get())?.figures[0]?.value;

  it('are asked for once, however many ask at a time or one after another', async () => {
    await Promise.all(Array.from({ length: 20 }, () => figures.get()));
    for (let times = 0; times < 20; times++) expect(await value()).toBe(1);
    expect(asked).toBe(1);
  });

  it('are asked for again some seconds later', async () => {
    await figures.get();
    now += 3_000;
    expect(await value()).toBe(2);
  });

  it('that took long are kept for longer', async () => {
    answer = async () => {
      now += 1_000;
      return [{ metric: 'controllers', label: null, label2: null, value: asked }];
    };
    await figures.get();
    now += 19_000;
    expect(await value()).toBe(1);
    now += 1_001;
    expect(await value()).toBe(2);
  });

  it('stay what they were while the database is away, which is told', async () => {
    await figures.get();
    expect(figures.isUp).toBe(true);
    now += 3_000;
    answer = () => Promise.reject(new Error('away'));
    expect(await value()).toBe(1);
    expect(figures.isUp).toBe(false);
    await figures.get();
    expect(asked).toBe(2);
  });

  it('are not waited for when the database says nothing at all', async () => {
    answer = () => new Promise(() => undefined);
    expect(await figures.get()).toBeNull();
    expect(figures.isUp).toBe(false);
    await figures.get();
    expect(asked).toBe(1);
  });
});
