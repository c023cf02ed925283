import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './faults';
import type { Door } from './provider-gate';

export interface BrokenAnswer {
  status: number;
  headers: Record<string, string>;
  payload: string;
}

/** What is answered in place of the truth; null when the fault says nothing of that. */
export function brokenAnswer(fault: Fault, door: Door, reply: FastifyReply): BrokenAnswer | null {
  const { code, message, body = '', headers = {} } = fault;
  if (code !== undefined) {
    const refusal = door.refusal(code, message ?? code, reply.getHeader('x-request-id') as string | undefined);
    return {
      status: fault.status ?? refusal.status,
      headers: { 'content-type': 'application/json', ...headers },
      payload: JSON.stringify(refusal.body),
    };
  }
  if (fault.status === undefined) return null;
  const isText = typeof body === 'string';
  return {
    status: fault.status,
    headers: { 'content-type': isText ? 'text/html' : 'application/json', ...headers },
    payload: isText ? body : JSON.stringify(body),
  };
}

/** The body as the fault lets it through: whole, slowly, or half of it. */
export function brokenBody(payload: unknown, fault: Fault | undefined, reply: FastifyReply): unknown {
  if (typeof payload !== 'string' || payload === '' || !fault) return payload;
  const bytes = Buffer.from(payload);
  if (fault.truncate) {
    void reply.header('content-length', bytes.length);
    return Readable.from(half(bytes));
  }
  if (fault.dripMs === undefined) return payload;
  void reply.header('content-length', bytes.length);
  return Readable.from(drip(bytes, fault.dripMs));
}

/** Until the faults are cleared, or the caller has gone. */
export async function hang(request: FastifyRequest, { cleared }: Fault): Promise<void> {
  const { socket } = request.raw;
  await new Promise<void>((resolve) => {
    if (cleared.aborted || socket.destroyed) return resolve();
    cleared.addEventListener('abort', () => resolve(), { once: true });
    socket.once('close', resolve);
  });
}

async function* half(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes.subarray(0, Math.ceil(bytes.length / 2));
  // So that what was written leaves before the connection ends.
  await sleep(10);
  throw new Error('The answer is cut in half by order of the admin API');
}

async function* drip(bytes: Buffer, everyMs: number): AsyncGenerator<Buffer> {
  for (const byte of bytes) {
    yield Buffer.of(byte);
    await sleep(everyMs);
  }
}
