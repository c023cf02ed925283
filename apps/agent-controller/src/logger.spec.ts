import { Secret, useTracer, type Tracer } from '@agent-controller/kernel';
import { AxiosError, AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectedOutput, createLogger, NestLogger } from './logger';

const TOKEN = 'Sup3rS3cretToken';

/** What an HTTP library throws: the request, with its token, hangs on the error. */
function axiosError(): AxiosError {
  const headers = AxiosHeaders.from({ Authorization: `Bearer ${TOKEN}` });
  const config: InternalAxiosRequestConfig = { headers, url: 'https://api.example.com', data: TOKEN };
  return new AxiosError('Request failed with status code 502', 'ERR_BAD_RESPONSE', config, { _header: TOKEN });
}

describe('createLogger', () => {
  let lines: string[];

  beforeEach(() => {
    lines = [];
  });

  const logger = () => createLogger('info', { write: (line) => void lines.push(line) });

  it('writes one line of JSON, with message and fields', () => {
    logger().info({ provider: 'hetzner', ms: 5 }, 'looked');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 30, provider: 'hetzner', ms: 5, msg: 'looked' });
  });

  it('names the trace that a line belongs to, where traces are made', () => {
    const traced = createLogger('info', { write: (line) => void lines.push(line) }, true);
    traced.info({}, 'outside');
    useTracer({ current: () => `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` } as Tracer);
    traced.info({}, 'inside');
    logger().info({}, 'not asked for');
    useTracer(undefined);
    const [outside, inside, other] = lines.map((line) => JSON.parse(line) as object);
    expect(inside).toMatchObject({ trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) });
    for (const line of [outside, other]) expect(line).not.toHaveProperty('trace_id');
  });

  it('leaves out what the level does not ask for', () => {
    logger().debug({}, 'too much');
    expect(lines).toEqual([]);
  });

  it('tells kind, code, message and stack of an error', () => {
    logger().error({ err: axiosError() }, 'a request failed');
    expect(JSON.parse(lines[0] ?? '').err).toEqual({
      type: 'AxiosError',
      code: 'ERR_BAD_RESPONSE',
      message: 'Request failed with status code 502',
      stack: expect.stringContaining('AxiosError: Request failed'),
    });
  });

  it.each<[string, () => object]>([
    ['as err', () => ({ err: axiosError() })],
    ['by another name', () => ({ error: axiosError(), reason: axiosError() })],
    ['by itself', () => axiosError()],
    ['inside of other fields', () => ({ meta: { error: axiosError(), list: [axiosError()] } })],
    ['as a cause', () => ({ err: new Error('outer', { cause: axiosError() }) })],
    ['among several', () => ({ err: new AggregateError([axiosError()], 'several') })],
    ['like an error', () => ({ err: { message: 'x', config: { headers: { Authorization: TOKEN } } } })],
  ])('does not print the token of an error given %s', (_how, fields) => {
    logger().error(fields(), 'a request failed');
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain(TOKEN);
    expect(lines[0]).toContain('a request failed');
  });

  it('stands fields without end', () => {
    const endless: Record<string, unknown> = { list: [] };
    endless['self'] = endless;
    (endless['list'] as unknown[]).push(endless);
    logger().info({ endless }, 'still here');
    expect(lines[0]).toContain('still here');
  });

  it('does not print a secret, wherever it stands', () => {
    const secret = new Secret(TOKEN);
    logger().info({ secret, nested: { list: [secret] }, text: `${secret}` }, `with ${secret}`);
    expect(lines[0]).not.toContain(TOKEN);
    expect(lines[0]?.match(/\[redacted\]/g)).toHaveLength(4);
  });

  it("keeps Nest's own messages quiet, but not its warnings", () => {
    const nest = new NestLogger(logger());
    nest.log('routes are mapped', 'Router');
    nest.warn('careful', 'Router');
    nest.error(axiosError(), 'the stack', 'Router');
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      'careful',
      'AxiosError: Request failed with status code 502',
    ]);
    expect(lines.join('')).not.toContain(TOKEN);
  });
});

describe('the output of the log', () => {
  let folder: string;
  let file: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agent-controller-log-'));
    file = openSync(join(folder, 'log'), 'a');
  });
  afterEach(() => {
    closeSync(file);
    rmSync(folder, { recursive: true });
  });

  const messages = () =>
    readFileSync(join(folder, 'log'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { msg: string }).msg);

  it('gets every line once and in order, a moment later', async () => {
    const logger = createLogger('info', collectedOutput(file));
    const expected: string[] = [];
    for (let batch = 0; batch < 5; batch++) {
      // More than is collected, and less.
      for (let n = 0; n < 700; n++) {
        logger.info({ filler: 'x'.repeat(50) }, `${batch}-${n}`);
        expected.push(`${batch}-${n}`);
      }
      while (messages().length < expected.length) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(messages()).toEqual(expected);
  });

  it('has a warning, and what came before it, at once', () => {
    const logger = createLogger('info', collectedOutput(file));
    logger.info({}, 'before');
    expect(messages()).toEqual([]);
    logger.warn({}, 'careful');
    expect(messages()).toEqual(['before', 'careful']);
  });
});
