import 'reflect-metadata';
import { ProvisioningEvent } from '@agent-controller/provisioning-workflow';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { writeEvents } from './server-sent-events';

const never = new AbortController().signal;

function event(seq: number, message = 'It runs'): ProvisioningEvent {
  const at = new Date('2026-01-02T03:04:05.678Z');
  return Object.assign(new ProvisioningEvent(), { seq, at, type: 'note', phase: 'booting', attempt: 1, message });
}

async function* batches(...given: ProvisioningEvent[][]): AsyncGenerator<ProvisioningEvent[]> {
  yield* given;
}

/** The blocks of a stream as a browser would read them. */
function blocks(stream: string): Record<string, string>[] {
  return stream
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s, 2))));
}

describe('writeEvents', () => {
  it('begins with the time to come back, then writes each event with its number, and ends', async () => {
    const stream = new PassThrough();
    const whole = text(stream);
    await writeEvents(batches([event(1), event(2)], [], [event(3)]), stream, never);
    const [first, ...events] = blocks(await whole);
    expect(first).toEqual({ retry: '2000' });
    expect(events.map(({ id, event: name }) => [id, name])).toEqual([
      ['1', 'note'],
      ['2', 'note'],
      ['3', 'note'],
    ]);
    expect(JSON.parse(events[2]?.['data'] ?? '')).toMatchObject({ seq: 3, message: 'It runs', phase: 'booting' });
  });

  it('lets no text break out of its line', async () => {
    const stream = new PassThrough();
    const whole = text(stream);
    const message = 'a\n\nid: 99\r\nevent: deleted\u2028data: {}';
    await writeEvents(batches([event(1, message)]), stream, never);
    const written = blocks(await whole);
    expect(written).toHaveLength(2);
    expect(written[1]?.['id']).toBe('1');
    expect(JSON.parse(written[1]?.['data'] ?? '')).toMatchObject({ message });
  });

  it('asks for no more than a slow reader takes', async () => {
    const stream = new PassThrough({ highWaterMark: 64 });
    let asked = 0;
    async function* endless(): AsyncGenerator<ProvisioningEvent[]> {
      for (asked = 1; ; asked++) yield [event(asked, 'x'.repeat(100))];
    }
    const gone = new AbortController();
    const written = writeEvents(endless(), stream, gone.signal);
    await once(stream, 'readable');
    await new Promise(setImmediate);
    expect(asked).toBe(1);
    stream.read();
    await new Promise(setImmediate);
    expect(asked).toBe(2);
    gone.abort();
    await written;
    expect(stream.writableEnded).toBe(true);
  });

  it('ends the stream when the log cannot be read any more', async () => {
    const stream = new PassThrough();
    const whole = text(stream);
    async function* broken(): AsyncGenerator<ProvisioningEvent[]> {
      yield [event(1)];
      throw new Error('the database is away');
    }
    await expect(writeEvents(broken(), stream, never)).resolves.toBeUndefined();
    const read = await whole;
    expect(blocks(read)).toHaveLength(2);
    expect(read).not.toContain('database');
  });

  it('stands a reader that is gone', async () => {
    const stream = new PassThrough();
    stream.destroy();
    await expect(writeEvents(batches([event(1)]), stream, AbortSignal.abort())).resolves.toBeUndefined();
  });

  describe('while nothing happens', () => {
    beforeEach(() => {
      jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    it('shows that it is there, and stops that with the stream', async () => {
      const stream = new PassThrough();
      const whole = text(stream);
      let end = () => {};
      const silence = new Promise<void>((resolve) => (end = resolve));
      async function* silent(): AsyncGenerator<ProvisioningEvent[]> {
        await silence;
        yield [];
      }
      const written = writeEvents(silent(), stream, never);
      jest.advanceTimersByTime(45_000);
      end();
      await written;
      expect(jest.getTimerCount()).toBe(0);
      expect((await whole).match(/^: still here$/gm)).toHaveLength(3);
    });
  });
});
