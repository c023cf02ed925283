import type { Problem } from '@agent-controller/contracts';
import { ERROR_STATUS, type ErrorCode } from '@agent-controller/kernel';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

const KNOWN: Record<string, [ErrorCode, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'The headers are too large.'],
};

/** Answers what is no request: there is none to whose hooks or filter this could be left. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [code, detail] = KNOWN[error.code ?? ''] ?? ['malformed-request', 'This is no HTTP request.'];
  const status = ERROR_STATUS[code];
  const title = STATUS_CODES[status] ?? 'Error';
  const problem: Omit<Problem, 'requestId'> = {
    type: `urn:agent-controller:problem:${code}`,
    ...{ title, status, code, detail },
  };
  const body = JSON.stringify(problem);
  const headers = [
    `HTTP/1.1 ${status} ${title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  if (socket.writable) socket.write(`${headers.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy();
}
