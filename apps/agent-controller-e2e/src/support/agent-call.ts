import type { TlsView } from '@agent-controller/contracts';
import { request } from 'node:https';

// A machine that restarts takes connections, and says nothing.
const TIMEOUT_MS = 20_000;

/** Calls a provisioned agent-manager as a caller would: certificate and name are checked, as `curl --cacert --connect-to`. */
export function callAgent(
  endpoint: string,
  tls: TlsView,
  path: string,
  authorization?: string,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, endpoint),
      {
        ca: tls.certificatePem,
        servername: tls.serverName,
        headers: authorization ? { authorization } : {},
        agent: false,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}
