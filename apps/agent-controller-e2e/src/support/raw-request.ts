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
