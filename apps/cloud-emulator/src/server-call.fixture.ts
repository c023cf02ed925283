import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { SERVER_NAME } from './user-data.fixture';

export interface ServerAnswer {
  status: number;
  body: unknown;
}

/** Calls a server at its own address over TLS, with its certificate as the only one that is trusted. */
export function callServer(
  { address, port = 3000, certificate }: { address: string; port?: number; certificate: string },
  path: string,
  authorization?: string,
): Promise<ServerAnswer> {
  return new Promise((resolve, reject) => {
    const headers = authorization === undefined ? {} : { authorization };
    const options = { host: address, port, path, headers, ca: certificate, servername: SERVER_NAME, agent: false };
    const answered = (response: IncomingMessage) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        const isJson = /json/.test(response.headers['content-type'] ?? '');
        resolve({ status: response.statusCode ?? 0, body: isJson ? (JSON.parse(text) as unknown) : text });
      });
    };
    request(options, answered).once('error', reject).end();
  });
}

/** Asks again until the answer is one that is wanted; errors are answers of null. */
export async function until<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean, limitMs = 10_000): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const answer = await ask().catch(() => null);
    if (answer !== null && isWanted(answer)) return answer;
    if (Date.now() > end) throw new Error(`Not within ${limitMs} ms; last seen: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
