import fastify from 'fastify';
import { parseTrustProxy, trustProxyOption } from './trust-proxy';

describe('TRUST_PROXY', () => {
  it.each([
    ['0', 0],
    ['2', 2],
    ['10.0.0.0/8', ['10.0.0.0/8']],
    [' 192.0.2.1 , 2001:db8::/32,', ['192.0.2.1', '2001:db8::/32']],
    ['11', null],
    ['', null],
    [',', null],
    ['loopback', null],
    ['true', null],
    ['10.0.0.0/33', null],
    ['10.0.0.0/8/8', null],
    ['10.0.0.0/', null],
    ['-1', null],
  ])('%j means %j', (value, expected) => {
    expect(parseTrustProxy(value)).toEqual(expected);
  });

  it.each([
    [undefined, '127.0.0.1'],
    ['0', '127.0.0.1'],
    ['1', '198.51.100.2'],
    ['2', '203.0.113.9'],
    ['127.0.0.1', '198.51.100.2'],
    ['127.0.0.1,198.51.100.0/24', '203.0.113.9'],
    ['192.0.2.1', '127.0.0.1'],
  ])('of %j makes callers come from %s', async (value, expected) => {
    const setting = value === undefined ? undefined : (parseTrustProxy(value) ?? undefined);
    const app = fastify({ trustProxy: trustProxyOption(setting) });
    app.get('/', (request) => ({ ip: request.ip }));
    const headers = { 'x-forwarded-for': '1.1.1.1, 203.0.113.9, 198.51.100.2' };
    expect((await app.inject({ url: '/', headers, remoteAddress: '127.0.0.1' })).json()).toEqual({ ip: expected });
    await app.close();
  });
});
