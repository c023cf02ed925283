import { X509Certificate, createHash } from 'node:crypto';
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { Callback } from './callback-file';

const TIMEOUT_MS = 15_000;

export interface CallbackAnswer {
  status: number;
  retryAfterSeconds: number | null;
  body: string;
}

/**
 * One POST as curl makes it by the file: its headers, certificates checked, pins on top.
 * @param localAddress whence, on systems where every address of 127.0.0.0/8 is there
 * @param trusted certificates besides those that Node trusts
 * @throws Error with a code, when there is no answer; its message holds no header
 */
export function postCallback(
  { url, headers, pins }: Callback,
  body: string,
  { signal, trusted, localAddress }: { signal: AbortSignal; trusted?: string; localAddress?: string },
): Promise<CallbackAnswer> {
  const sent: OutgoingHttpHeaders = { 'content-length': Buffer.byteLength(body) };
  for (const [name, value] of headers) sent[name] = value;
  if (!headers.some(([name]) => name.toLowerCase() === 'content-type')) {
    sent['content-type'] = 'application/x-www-form-urlencoded';
  }
  const limit = withLimit(signal);
  const options = {
    method: 'POST',
    headers: sent,
    agent: false as const,
    ...(localAddress !== undefined && process.platform === 'linux' ? { localAddress } : {}),
    signal: limit.signal,
  };
  return new Promise<CallbackAnswer>((resolve, reject) => {
    const answered = (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).once('error', reject);
      const seconds = Number(response.headers['retry-after'] ?? NaN);
      const retryAfterSeconds = Number.isFinite(seconds) ? seconds : null;
      response.once('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, retryAfterSeconds, body });
      });
    };
    const outgoing =
      url.protocol === 'http:'
        ? httpRequest(url, options, answered)
        : httpsRequest(
            url,
            { ...options, ca: trusted, checkServerIdentity: (host, peer) => identityProblem(host, peer, pins) },
            answered,
          );
    outgoing.once('error', reject).end(body);
  }).finally(() => limit.abort());
}

function identityProblem(host: string, peer: PeerCertificate, pins: string[]): Error | undefined {
  const problem = checkServerIdentity(host, peer);
  if (problem || pins.length === 0) return problem;
  const spki = new X509Certificate(peer.raw).publicKey.export({ type: 'spki', format: 'der' });
  if (pins.includes(createHash('sha256').update(spki).digest('base64'))) return undefined;
  return Object.assign(new Error('its public key is none of the pinned ones'), { code: 'PINNED_KEY_MISMATCH' });
}

/**
 * This program runs without the libraries, whose `withTimeLimit` says why it is not one line.
 * @returns to be aborted when there is an answer: a server that posts often has one signal for all
 */
function withLimit(signal: AbortSignal): AbortController {
  const limited = new AbortController();
  const end = () => limited.abort(new DOMException('No answer in time, or the server is gone', 'TimeoutError'));
  const timer = setTimeout(end, TIMEOUT_MS).unref();
  signal.addEventListener('abort', end, { once: true, signal: limited.signal });
  limited.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  if (signal.aborted) end();
  return limited;
}
