import { OUTDATED_TLS, TlsTrap } from '@agent-controller/outbound/testing';
import { createServerTls } from '@agent-controller/provisioning-bootstrap';

/**
 * Lets an adapter call one who is not the provider, by TLS of today and of yesterday.
 * @param call with the base URL; settles
 * @returns every byte that was sent there within the connection, and how many connections there were
 */
export async function seenByStranger(call: (baseUrl: string) => Promise<unknown>) {
  const { privateKeyPem: key, certificatePem: cert } = await createServerTls('stranger', new Date());
  const seen = { received: '', connections: 0 };
  for (const options of [{}, { ...OUTDATED_TLS, maxVersion: 'TLSv1.1' as const }]) {
    const trap = await TlsTrap.start({ key, cert, ...options });
    try {
      await call(`https://127.0.0.1:${trap.port}`);
      seen.received += await trap.received();
      seen.connections += trap.connections;
    } finally {
      await trap.stop();
    }
  }
  return seen;
}
