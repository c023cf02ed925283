import { streamChanged, type ProvisioningEvent } from '@agent-controller/provisioning-workflow';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { toEventView } from './provisioning.mapper';

// Proxies close streams that are silent for a minute.
const HEARTBEAT_MS = 15_000;
const RECONNECT_MS = 2_000;

/** Writes events as Server-Sent Events until they end; ends the stream, also on an error: callers come back. */
export async function writeEvents(
  batches: AsyncIterable<ProvisioningEvent[]>,
  stream: Writable,
  signal: AbortSignal,
): Promise<void> {
  streamChanged.tell({ by: 1 });
  const heartbeat = setInterval(() => stream.write(': still here\n\n'), HEARTBEAT_MS);
  try {
    stream.write(`retry: ${RECONNECT_MS}\n\n`);
    for await (const events of batches) {
      const text = events.map(format).join('');
      if (!stream.write(text)) await once(stream, 'drain', { signal });
    }
  } catch {
    // The caller is gone, or the database is away.
  } finally {
    clearInterval(heartbeat);
    streamChanged.tell({ by: -1 });
    stream.end();
  }
}

function format(event: ProvisioningEvent): string {
  return `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(toEventView(event))}\n\n`;
}
