import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source.options';
import { isDatabaseAway } from './database-trouble';

/** A message of PostgreSQL's protocol: https://www.postgresql.org/docs/current/protocol-message-formats.html */
function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const AUTHENTICATED = message('R', Buffer.alloc(4));
const READY = message('Z', Buffer.from('I'));
const ENDED = message(
  'E',
  Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'),
);

/** Welcomes every connection, and ends it in the same packet. */
async function startServer(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATED, READY, ENDED])));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('a connection that is ended in the moment in which it was made', () => {
  it.each([{ patient: false }, { patient: true }])('fails its query, and not the process: %j', async ({ patient }) => {
    const server = await startServer();
    const { port } = server.address() as AddressInfo;
    const url = `postgres://nobody@127.0.0.1:${port}/none`;
    const dataSource = new DataSource(
      dataSourceOptions({ url, poolSize: 1, applicationName: 'test', patient, entities: [], onError: () => undefined }),
    );
    const error: unknown = await dataSource.initialize().catch((reason: unknown) => reason);
    server.close();
    expect(isDatabaseAway(error)).toBe(true);
  });
});
