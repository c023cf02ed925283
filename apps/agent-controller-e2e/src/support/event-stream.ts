import type { Api } from './api';

export interface StreamedEvent {
  id: string;
  event: string;
  data: { seq: number; type: string; phase: string; message: string };
}

/** Reads a stream of Server-Sent Events until it ends. */
export async function readEvents(response: Response): Promise<StreamedEvent[]> {
  return (await response.text()).split('\n\n').flatMap(parse);
}

/** @param lastId of the event after which the stream goes on */
export async function openStream(api: Api, path: string, lastId?: number): Promise<EventStream> {
  const abort = new AbortController();
  const resume: Record<string, string> = lastId === undefined ? {} : { 'last-event-id': String(lastId) };
  const response = await api.open(path, { accept: 'text/event-stream', ...resume }, abort.signal);
  if (response.status !== 200 || !response.body) throw new Error(`No stream: ${response.status}`);
  return new EventStream(response.body.pipeThrough(new TextDecoderStream()).getReader(), abort);
}

/** A stream that is read bit by bit, and can be left. */
export class EventStream {
  #text = '';

  constructor(
    private readonly reader: ReadableStreamDefaultReader<string>,
    private readonly controller: AbortController,
  ) {}

  /** The next events, as many as are asked for or until the end; then the connection is cut. */
  async take(count = Infinity): Promise<StreamedEvent[]> {
    const events: StreamedEvent[] = [];
    while (events.length < count) {
      const block = await this.block();
      if (block === null) return events;
      events.push(...parse(block));
    }
    await this.abort();
    return events;
  }

  /** The next comment. */
  async comment(): Promise<string> {
    for (;;) {
      const block = await this.block();
      if (block === null) throw new Error('The stream ended');
      if (block.startsWith(':')) return block;
    }
  }

  async abort(): Promise<void> {
    this.controller.abort();
    // Cancelled as well: a stream that has ended with something unread never counts as closed.
    await this.reader.cancel().catch(() => undefined);
  }

  private async block(): Promise<string | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const { done, value } = await this.reader.read();
      if (done) return null;
      this.#text += value;
    }
  }
}

function parse(block: string): StreamedEvent[] {
  const fields = Object.fromEntries(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  ) as { id?: string; event?: string; data?: string };
  if (fields.id === undefined) return [];
  return [{ id: fields.id, event: fields.event ?? '', data: JSON.parse(fields.data ?? '{}') as StreamedEvent['data'] }];
}
