import { SentinelService } from './sentinel.service';
import { FakeCloudProvider } from './testing/fake-cloud-provider';

describe('SentinelService', () => {
  const provider = new FakeCloudProvider();
  const sentinel = new SentinelService();
  let answers: ((value: boolean | Error) => void)[];

  beforeEach(() => {
    answers = [];
    jest.spyOn(provider, 'hasSentinel').mockImplementation(
      () =>
        new Promise((resolve, reject) => {
          answers.push((value) => (typeof value === 'boolean' ? resolve(value) : reject(value)));
        }),
    );
  });
  afterEach(() => jest.restoreAllMocks());

  const questions = async (count: number) => {
    while (answers.length < count) await new Promise(setImmediate);
    return answers.length;
  };

  it('asks once for all who ask while a question is under way, and after it', async () => {
    const first = sentinel.isVisible(provider, 'key');
    await questions(1);
    const others = [1, 2, 3].map(() => sentinel.isVisible(provider, 'key'));
    answers[0]?.(false);
    expect(await first).toBe(false);
    expect(await questions(2)).toBe(2);
    const last = sentinel.isVisible(provider, 'key');
    answers[1]?.(true);
    expect(await Promise.all(others)).toEqual([true, true, true]);
    expect(await questions(3)).toBe(3);
    answers[2]?.(true);
    expect(await last).toBe(true);
  });

  it('tells an error to those whose question it was, and asks again for the others', async () => {
    const first = sentinel.isVisible(provider, 'key');
    await questions(1);
    const second = sentinel.isVisible(provider, 'key');
    answers[0]?.(new Error('away'));
    await expect(first).rejects.toThrow('away');
    await questions(2);
    answers[1]?.(true);
    expect(await second).toBe(true);
  });

  it('takes each key by itself, and knows without asking that no key proves nothing', async () => {
    const both = [sentinel.isVisible(provider, 'one'), sentinel.isVisible(provider, 'other')];
    expect(await questions(2)).toBe(2);
    answers.forEach((answer, index) => answer(index === 0));
    expect(await Promise.all(both)).toEqual([true, false]);
    expect(await sentinel.isVisible(provider, null)).toBe(false);
    expect(answers).toHaveLength(2);
  });
});
