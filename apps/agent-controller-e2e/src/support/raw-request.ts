import { once } from 'node:events';
import { connect } from 'node:net';

export interface RawAnswer {
  /** Everything that came until the other side closed the connection. */
  text: string;
  ms: number;
}

/** Sends bytes over a connection of its own, and goes on with one more every 100 ms until the other side has enough. */
export function drip(url: string, beginning: string, drop: string): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const begun = Date.now();
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.write(beginning));
    const timer = setInterval(() => socket.writable && socket.write(drop), 100);
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    // The other side closed while we wrote.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      resolve({ text, ms: Date.now() - begun });
    });
    socket.on('end', () => socket.end());
  });
}

/**
 * Sends each part once the answer to the one before has begun to come, over one connection.
 * @returns the status of each answer; 0 when the connection broke instead
 */
export async function converse(url: string, parts: readonly string[]): Promise<number[]> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  const closed = new Promise<string[]>((resolve) => socket.on('close', () => resolve([''])));
  const statuses: number[] = [];
  for (const part of parts) {
    socket.write(part);
    // `once` rejects with the error of a broken connection.
    const answered = once(socket, 'data').catch(() => ['']) as Promise<unknown[]>;
    const [chunk] = await Promise.race([answered, closed]);
    statuses.push(Number(/^HTTP\/1.1 (\d+)/.exec(String(chunk))?.[1] ?? 0));
  }
  socket.destroy();
  return statuses;
}
