import { createServerTls } from '@agent-controller/provisioning-bootstrap';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import type { Lookup } from './outbound-guard';
import { outboundRequest, type OutboundRequest } from './outbound-request';
import { loopbackGuard, OUTDATED_TLS, TlsTrap } from './testing';

const options: OutboundRequest = { destination: 'named-by-caller', timeoutMs: 30_000 };
const SECRET = 'client-secret';

describe('outboundRequest', () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  async function serve(handle: RequestListener): Promise<number> {
    const server: Server = createServer(handle).listen(0, '127.0.0.1');
    await once(server, 'listening');
    stops.push(async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    });
    return (server.address() as AddressInfo).port;
  }

  /** A resolver that answers each question with the next addresses; the last stay. */
  function resolver(...answers: string[][]): { lookup: Lookup; asked: string[] } {
    const asked: string[] = [];
    const lookup: Lookup = async (hostname) => {
      asked.push(hostname);
      const found = answers[Math.min(asked.length, answers.length) - 1] ?? [];
      return found.map((address) => ({ address, family: 4 }));
    };
    return { lookup, asked };
  }

  it('sends and receives, with the host that was named', async () => {
    const seen: Partial<IncomingMessage> = {};
    const port = await serve(({ method, url, headers }, response) => {
      Object.assign(seen, { method, url, headers });
      response.writeHead(201, { 'x-answer': 'yes' }).end('ü');
    });
    const { lookup, asked } = resolver(['127.0.0.1']);
    const guard = loopbackGuard(['login.example'], lookup);
    const url = new URL(`http://login.example:${port}/realms?x=1`);
    const answer = await outboundRequest(guard, url, { ...options, headers: { accept: 'application/json' } });
    expect(answer).toMatchObject({ status: 201, body: 'ü', headers: { 'x-answer': 'yes' } });
    expect(seen).toMatchObject({ method: 'GET', url: '/realms?x=1' });
    expect(seen.headers).toEqual({ accept: 'application/json', host: `login.example:${port}`, connection: 'close' });
    expect(asked).toEqual(['login.example']);
  });

  it('sends a body with its length in bytes', async () => {
    let received = '';
    const port = await serve((request, response) => {
      void text(request).then((body) => {
        received = `${request.headers['content-length']} ${body}`;
        response.end();
      });
    });
    await outboundRequest(loopbackGuard(), new URL(`http://127.0.0.1:${port}`), {
      ...options,
      method: 'POST',
      body: 'ü',
    });
    expect(received).toBe('2 ü');
  });

  it('asks for a name once, and connects to what was looked at: later answers do not count (DNS rebinding)', async () => {
    let requests = 0;
    const port = await serve((_request, response) => void response.end(String(++requests)));
    const { lookup, asked } = resolver(['127.0.0.1'], ['10.0.0.1']);
    const guard = loopbackGuard(['rebind.example'], lookup);
    const url = new URL(`http://rebind.example:${port}`);
    expect((await outboundRequest(guard, url, options)).body).toBe('1');
    expect(asked).toEqual(['rebind.example']);
    await expect(outboundRequest(guard, url, options)).rejects.toThrow('leads to no public address (private)');
    expect(requests).toBe(1);
  });

  it('connects to nobody when one of the addresses is not allowed', async () => {
    let requests = 0;
    const port = await serve((_request, response) => void response.end(String(++requests)));
    const guard = loopbackGuard(['rebind.example'], resolver(['127.0.0.1', '169.254.169.254']).lookup);
    await expect(outboundRequest(guard, new URL(`http://rebind.example:${port}`), options)).rejects.toThrow(
      /link-local/,
    );
    expect(requests).toBe(0);
  });

  describe('with an exception for one host and port', () => {
    it('calls that one, and neither its neighbour nor this machine by another name', async () => {
      const asked: string[] = [];
      const [allowed, neighbour] = await Promise.all(
        ['allowed', 'neighbour'].map((name) =>
          serve((_request, response) => void response.end(String(asked.push(name)))),
        ),
      );
      const guard = loopbackGuard([`127.0.0.1:${allowed}`]);
      await outboundRequest(guard, new URL(`http://127.0.0.1:${allowed}`), options);
      for (const host of [
        `127.0.0.1:${neighbour}`,
        `127.0.0.2:${allowed}`,
        `localhost:${allowed}`,
        `[::1]:${allowed}`,
      ]) {
        await expect(outboundRequest(guard, new URL(`http://${host}`), options)).rejects.toThrow(/is not allowed/);
      }
      expect(asked).toEqual(['allowed']);
    });

    it.each([301, 302, 303, 307, 308, 300, 304])(
      'does not follow a redirect by %i to the neighbour',
      async (status) => {
        let neighbours = 0;
        const neighbour = await serve((_request, response) => void response.end(String(++neighbours)));
        const location = `http://127.0.0.1:${neighbour}/secret`;
        const allowed = await serve((_request, response) => void response.writeHead(status, { location }).end());
        // The neighbour is allowed as well: it is the redirect that counts.
        const guard = loopbackGuard([`127.0.0.1:${allowed}`, `127.0.0.1:${neighbour}`]);
        for (const method of ['GET', 'POST'] as const) {
          const sent = outboundRequest(guard, new URL(`http://127.0.0.1:${allowed}`), {
            ...options,
            method,
            body: SECRET,
          });
          await expect(sent).rejects.toThrow(`the answer is a redirect (${status}), and redirects are not followed`);
        }
        expect(neighbours).toBe(0);
      },
    );
  });

  it('reads no answer without end', async () => {
    const port = await serve((_request, response) => {
      response.on('error', () => undefined);
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    });
    await expect(outboundRequest(loopbackGuard(), new URL(`http://127.0.0.1:${port}`), options)).rejects.toThrow(
      'the answer is too long',
    );
  });

  it.each(['no answer', 'half an answer'])('gives up on %s', async (what) => {
    const gone = new AbortController();
    const port = await serve((_request, response) => {
      if (what === 'no answer') gone.abort();
      else response.write('x', () => gone.abort());
    });
    const request = { ...options, signal: gone.signal };
    await expect(outboundRequest(loopbackGuard(), new URL(`http://127.0.0.1:${port}`), request)).rejects.toThrow();
  });

  it('gives up by its own limit, also while the name is looked up', async () => {
    const guard = loopbackGuard(['slow.example'], () => new Promise(() => undefined));
    const request = { ...options, timeoutMs: 1 };
    await expect(outboundRequest(guard, new URL('http://slow.example'), request)).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  describe('by https', () => {
    const send = (port: number) =>
      outboundRequest(
        loopbackGuard(['login.example'], resolver(['127.0.0.1']).lookup),
        new URL(`https://login.example:${port}`),
        {
          ...options,
          method: 'POST',
          headers: { authorization: SECRET },
          body: SECRET,
        },
      );

    async function trapWith(more: object): Promise<TlsTrap> {
      const { privateKeyPem: key, certificatePem: cert } = await createServerTls('login', new Date());
      const trap = await TlsTrap.start({ key, cert, ...more });
      stops.push(() => trap.stop());
      return trap;
    }

    it('sends nothing to one whose certificate no authority has signed', async () => {
      const trap = await trapWith({});
      await expect(send(trap.port)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
      expect(trap.connections).toBe(1);
      expect(await trap.received()).toBe('');
    });

    it.each(['TLSv1', 'TLSv1.1'] as const)('sends nothing by %s', async (maxVersion) => {
      const trap = await trapWith({ ...OUTDATED_TLS, maxVersion });
      await expect(send(trap.port)).rejects.toMatchObject({ code: expect.stringMatching(/VERSION|PROTOCOL|EPROTO/) });
      expect(await trap.received()).toBe('');
      const lax = connect({ port: trap.port, host: '127.0.0.1', rejectUnauthorized: false, ...OUTDATED_TLS });
      await once(lax, 'secureConnect');
      expect(lax.getProtocol()).toBe(maxVersion);
      lax.destroy();
    });

    it('sends nothing but a handshake to one who speaks plain HTTP', async () => {
      const trap = await TlsTrap.start(null);
      stops.push(() => trap.stop());
      await expect(send(trap.port)).rejects.toThrow();
      expect(await trap.received()).not.toContain(SECRET);
    });
  });
});
