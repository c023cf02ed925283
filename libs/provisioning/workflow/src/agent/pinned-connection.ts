import { MIN_TLS_VERSION } from '@agent-controller/outbound';
import { createHash, timingSafeEqual } from 'node:crypto';
import { Agent } from 'node:https';
import { addAbortSignal, type Duplex } from 'node:stream';
import { connect, createSecureContext, type ConnectionOptions } from 'node:tls';

/** One for all connections: to make one costs as much as all else of a connection that is refused. */
const secureContext = createSecureContext({ minVersion: MIN_TLS_VERSION });

/** The key is compared here, so that the certificate around it need not be verified. */
const STRICT = { secureContext, session: undefined, rejectUnauthorized: false } as const;

/**
 * Connects only to who holds the pinned key. The certificate around it does not matter: servers issue it anew from the
 * same key, and its name is not an address. Nothing is sent before the key was compared.
 */
export class PinnedAgent extends Agent {
  /** @param signal ends the connection at any time, also while it is being made: a request's own signal does not */
  constructor(
    private readonly spkiSha256: string,
    private readonly signal: AbortSignal,
  ) {
    // Requests follow one another on one connection, and none begins with a session of another: each shows its key anew.
    super({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 });
  }

  override createConnection(
    options: ConnectionOptions,
    done?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const socket = connect({ ...options, ...STRICT });
    addAbortSignal(this.signal, socket);
    const settle = (error: Error | null) => {
      done?.(error, socket);
      done = undefined;
    };
    socket.on('error', settle);
    socket.once('secureConnect', () => {
      const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
      if (key && !socket.isSessionReused() && isPinned(key, this.spkiSha256)) settle(null);
      else socket.destroy(new Error('another key answers there'));
    });
    return undefined;
  }
}

function isPinned(spki: Buffer, pin: string): boolean {
  const expected = Buffer.from(pin, 'base64');
  const actual = createHash('sha256').update(spki).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
