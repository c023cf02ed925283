import { withTimeLimit } from '@agent-controller/kernel';
import http, { type IncomingHttpHeaders, type OutgoingHttpHeaders, type RequestOptions } from 'node:http';
import https from 'node:https';
import { pinnedLookup, type Destination, type OutboundGuard } from './outbound-guard';

export interface OutboundAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface OutboundRequest {
  destination: Destination;
  /** From the look-up of the name to the end of the answer. */
  timeoutMs: number;
  signal?: AbortSignal;
  method?: 'GET' | 'POST';
  headers?: OutgoingHttpHeaders;
  body?: string;
}

/** Neither a token nor a set of keys is near as long. */
const MAX_BODY_BYTES = 1_048_576;
/** The oldest that is spoken, whatever Node was started with. */
export const MIN_TLS_VERSION = 'TLSv1.2';

/**
 * One request by a connection of its own: to an address that the guard let pass, by TLS 1.2 or newer where it is https,
 * verified by the web PKI. Redirects are not followed.
 * @throws OutboundRefusedError; Error when there is no answer that can be used
 */
export async function outboundRequest(
  guard: OutboundGuard,
  url: URL,
  { destination, timeoutMs, signal, method = 'GET', headers = {}, body = '' }: OutboundRequest,
): Promise<OutboundAnswer> {
  const limited = withTimeLimit(timeoutMs, ...(signal ? [signal] : []));
  const addresses = await guard.resolve(url, destination, limited);
  const length = body === '' ? {} : { 'content-length': Buffer.byteLength(body) };
  const options = {
    method,
    agent: false as const,
    lookup: pinnedLookup(addresses),
    minVersion: MIN_TLS_VERSION,
    signal: limited,
    headers: { ...length, ...headers },
  } as const;
  const answer = await exchange(url, options, body, MAX_BODY_BYTES);
  if (answer.status >= 300 && answer.status < 400) {
    throw new Error(`the answer is a redirect (${answer.status}), and redirects are not followed`);
  }
  return answer;
}

/** Sends, and reads an answer of limited length. @throws Error of Node; or one that says that the answer is too long */
export function exchange(
  url: URL,
  options: RequestOptions | https.RequestOptions,
  body: string,
  maxBodyBytes: number,
): Promise<OutboundAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === 'https:' ? https : http).request(url, options);
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBodyBytes) outgoing.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: Buffer.concat(chunks).toString('utf8') });
      });
    });
    outgoing.end(body);
  });
}
