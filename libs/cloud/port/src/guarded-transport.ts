import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** What axios takes as `transport`. */
export interface Transport {
  request(options: RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest;
}

/**
 * Sends requests only while `maySend` says so, asked when the connection stands: a process may be frozen in every line
 * before, also while it connects, and no timer of its own runs meanwhile.
 */
export function guardedTransport(maySend: () => boolean): Transport {
  return {
    request(options, onResponse) {
      const request = (options.protocol === 'https:' ? https : http).request(options, onResponse);
      const check = () => {
        if (!maySend()) request.destroy(Object.assign(new Error('It is too late to send this'), { code: 'ETOOLATE' }));
      };
      // Node writes to a new connection by the same events, by listeners that it adds after these.
      request.once('socket', (socket: Socket) => {
        check();
        if (socket.connecting) socket.once('connect', check);
        if (isHandshaking(socket)) socket.once('secureConnect', check);
      });
      return request;
    },
  };
}

function isHandshaking(socket: Socket): boolean {
  return (socket as Partial<TLSSocket>).encrypted === true && (socket.connecting || !(socket as TLSSocket).authorized);
}
