import type { ClientView, Problem } from '@agent-controller/contracts';
import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { AnswerCheck } from './fuzz/answer-check';
import { fieldsOf, wrongValues } from './fuzz/bad-fields';
import { OF_SERVERS } from './fuzz/fuzz-request';
import { FuzzStage } from './fuzz/fuzz-stage';
import { BROKEN_TEXTS, HEADER_TRICKS, PATH_TRICKS, QUERY_TRICKS, TRICKY_TEXTS } from './fuzz/hostile-values';
import type { Operation } from './fuzz/operation';
import { RawCaller, type RawAnswer } from './fuzz/raw-call';
import { drip } from './support/raw-request';
import { until } from './support/until';

const JSON_TYPE = { 'content-type': 'application/json' };
/** What changes by itself, or by every call. */
const MOVING = [
  'provisioning_events',
  'audit_log',
  'rate_counts',
  'provider_budgets',
  'controller_heartbeats',
  'provider_sweeps',
];

interface Sending {
  path?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

// Made from the routes and fields that the controller itself tells: what is new is covered by that.
describe('bad input', () => {
  let stage: FuzzStage;
  let caller: RawCaller;
  let check: AnswerCheck;
  let reportingId: string;
  let wrong: string[];
  let before: unknown;

  beforeAll(async () => {
    stage = await FuzzStage.create({ SWEEP_INTERVAL_SECONDS: '3600' });
    caller = new RawCaller(stage.controller.url, 8, 60_000);
    check = new AnswerCheck(stage.document);
    await stage.prepare();
    const [provisioning = ''] = await until(
      () => stage.reporting(),
      (ids) => ids.length > 0,
    );
    reportingId = provisioning;
  });
  beforeEach(async () => {
    wrong = [];
    before = await everything();
  });
  afterEach(async () => {
    expect(wrong.slice(0, 20)).toEqual([]);
    expect(await everything()).toEqual(before);
    stage.checkAlive();
  });
  afterAll(async () => {
    caller.close();
    expect(await stage.clear()).toEqual([]);
    await stage.dispose();
  });

  /** How many rows each table has, and how many servers there are. */
  async function everything() {
    const tables = await stage.installation.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
    );
    const counted = tables.filter(({ name }) => !MOVING.includes(name));
    const rows = await Promise.all(
      counted.map(async ({ name }) => [
        name,
        await stage.installation.query(`SELECT count(*)::integer AS rows FROM "${name}"`),
      ]),
    );
    return { rows, servers: (await stage.installation.emulator.servers()).length };
  }

  const withBody = () => stage.operations.filter(({ body }) => body !== null);

  /** The path of an operation where nothing is, or, of a server's own calls, with its token. */
  function pathOf({ name, method }: Operation): string {
    const id = name.includes(OF_SERVERS) ? reportingId : randomUUID();
    const path = name.slice(method.length + 1);
    return path.replace('{providerType}', 'hetzner').replace('{serverId}', '4711').replace('{id}', id);
  }

  function send(operation: Operation, { path = pathOf(operation), headers = {}, body }: Sending): Promise<RawAnswer> {
    const role = operation.name.includes(OF_SERVERS) ? 'server' : 'admin';
    return caller.call({
      method: operation.method,
      path,
      headers: { ...stage.authorization(role, path), ...headers },
      body: body === undefined ? null : Buffer.from(body),
    });
  }

  const json = (operation: Operation, body: string) => send(operation, { headers: JSON_TYPE, body });

  /** Notes an answer that is no refusal, or not as it is described. */
  function mustRefuse(operation: Operation, what: string, answer: RawAnswer, field?: string): void {
    const problem = check.problem(operation, answer, true);
    const { errors = [] } = answer.status >= 400 ? (JSON.parse(answer.text) as Problem) : {};
    const named = field === undefined || errors.some((error) => field.startsWith(error.field.split(/[[.]/)[0] ?? ' '));
    if (problem === null && answer.status >= 400 && named) return;
    wrong.push(`${operation.name} ${what}: ${problem ?? answer.status} ${answer.text.slice(0, 300)}`);
  }

  it('has routes and fields to try', () => {
    const fields = withBody().flatMap(({ body }) => fieldsOf(body!, stage.document));
    expect(stage.operations.length).toBeGreaterThan(25);
    expect(fields.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['gitRepositoryUrl', 'fallback[0].location', 'environment', 'endpoint', 'spkiSha256']),
    );
  });

  it('of a wrong type, empty, huge, with NUL or half of a character: every field is refused, and named', async () => {
    for (const operation of withBody().filter(({ name }) => !name.includes(OF_SERVERS))) {
      for (const { path, schema, put } of fieldsOf(operation.body!, stage.document)) {
        for (const value of wrongValues(schema)) {
          const answer = await json(operation, JSON.stringify(put(value)));
          const what = `${path} = ${JSON.stringify(value).slice(0, 60)}`;
          mustRefuse(operation, what, answer, path);
        }
      }
    }
  });

  it('with unknown, inherited and repeated names', async () => {
    for (const operation of withBody()) {
      for (const name of [
        'unknown',
        '__proto__',
        'constructor',
        'hasOwnProperty',
        '',
        '\u202eeman',
        'x'.repeat(9_000),
      ]) {
        if (operation.name.includes(OF_SERVERS) && !(name in {})) continue;
        mustRefuse(operation, name, await json(operation, `{${JSON.stringify(name)}: {"a": 1}}`));
      }
      const constructed = '{"a": {"constructor": {"prototype": {"isAdmin": true}}}}';
      mustRefuse(operation, 'constructor.prototype', await json(operation, constructed), 'a');
      for (const { path } of fieldsOf(operation.body!, stage.document)) {
        if (path.includes('[')) continue;
        const twice = `{"${path}": "one", "${path}": "two"}`;
        mustRefuse(operation, `${path} twice`, await json(operation, twice), path);
      }
    }
  });

  it('in another encoding or type, or too deep', async () => {
    for (const operation of stage.operations.filter(({ method }) => method !== 'GET')) {
      const text = '{"name":"ä"}';
      const bodies: Record<string, Sending> = {
        'UTF-16': {
          headers: { 'content-type': 'application/json; charset=utf-16' },
          body: Buffer.from(text, 'utf16le'),
        },
        'UTF-16, not said': { headers: JSON_TYPE, body: Buffer.from(text, 'utf16le') },
        'Latin-1': { headers: JSON_TYPE, body: Buffer.from(text, 'latin1') },
        gzip: { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, body: gzipSync(text) },
        text: { headers: { 'content-type': 'text/plain' }, body: text },
        form: { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'name=x' },
        'no type': { body: text },
        'no JSON': { headers: JSON_TYPE, body: '{"name":' },
        'a comment': { headers: JSON_TYPE, body: '{"name":"x"} // x' },
        deep: { headers: JSON_TYPE, body: `${'['.repeat(3_000)}${']'.repeat(3_000)}` },
        huge: { headers: JSON_TYPE, body: `"${'x'.repeat(2_200_000)}"` },
      };
      for (const [what, sending] of Object.entries(bodies)) mustRefuse(operation, what, await send(operation, sending));
    }
    for (const operation of withBody()) {
      // A registration's own fields may all be absent.
      for (const body of ['[]', '[{}]', '"x"', '5', 'true']) mustRefuse(operation, body, await json(operation, body));
    }
  });

  it('in the path', async () => {
    for (const operation of stage.operations.filter(({ name }) => name.includes('{'))) {
      const names = [...operation.name.matchAll(/\{(\w+)\}/g)].map(([whole]) => whole);
      for (const trick of PATH_TRICKS) {
        for (const name of names) {
          const path = operation.name.slice(operation.method.length + 1).replace(name, trick);
          const filled = path
            .replace('{providerType}', 'hetzner')
            .replace('{serverId}', '4711')
            .replace('{id}', randomUUID());
          mustRefuse(operation, trick.slice(0, 40), await send(operation, { path: filled }));
        }
      }
    }
    for (const operation of stage.operations) {
      const path = pathOf(operation);
      for (const bent of [
        `${path}/x/y/z`,
        `/${path}`,
        path.replace('/', '/./'),
        `${path}%00`,
        path.toUpperCase(),
        `${path};x`,
      ])
        mustRefuse(operation, bent, await send(operation, { path: bent }));
    }
  });

  it('in the query and in headers: no error of the controller, and nothing is made', async () => {
    for (const operation of stage.operations) {
      const sendings = [
        ...QUERY_TRICKS.map((query) => ({ path: `${pathOf(operation)}?${query}` })),
        ...HEADER_TRICKS.map((headers) => ({ headers })),
      ];
      for (const sending of sendings) {
        // Without a body that could be accepted.
        const answer = await send(operation, sending);
        const problem = check.problem(operation, answer, true);
        if (problem) wrong.push(`${operation.name} ${JSON.stringify(sending).slice(0, 200)}: ${problem}`);
      }
    }
  });

  it.each([
    ['a control character in a header', 'idempotency-key: a\u0001b\r\n'],
    ['a NUL in a header', 'prefer: wait\0\r\n'],
    ['a line that is folded', 'prefer: wait\r\n =5\r\n'],
    ['a header without a name', ': x\r\n'],
    ['two lengths', 'content-length: 0\r\ncontent-length: 5\r\n'],
    ['a length and chunks', 'content-length: 5\r\ntransfer-encoding: chunked\r\n'],
    ['headers without an end', `x: ${'x'.repeat(20_000)}\r\n`],
  ])('%s ends the connection with a problem', async (_what, header) => {
    const beginning = `POST /api/clients HTTP/1.1\r\nhost: x\r\n${header}\r\n`;
    const { text } = await drip(stage.controller.url, beginning, '');
    expect(text).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(text).toContain('application/problem+json');
  });

  it('texts with tricks are taken unchanged, or the field is refused and named', async () => {
    const preview = stage.operations.find(({ name }) => name.endsWith('/preview'))!;
    for (const { path, schema, put } of fieldsOf(preview.body!, stage.document)) {
      if (schema.type !== 'string') continue;
      for (const [what, text] of Object.entries(TRICKY_TEXTS)) {
        const answer = await json(preview, JSON.stringify(put(text)));
        if (answer.status !== 200) mustRefuse(preview, `${path}: ${what}`, answer);
      }
    }
    const agent = { endpoint: 'https://agent.example.com', authenticationType: 'api_key', apiKey: 'k' };
    for (const field of ['name', 'description', 'endpoint'] as const) {
      for (const [what, text] of Object.entries(TRICKY_TEXTS)) {
        const { status, body } = await stage.admin.post<ClientView & Problem>('/api/clients', {
          ...{ ...agent, name: 'tricky' },
          [field]: text,
        });
        if (status === 201) {
          if (body[field] !== text) wrong.push(`${field} with ${what} was changed to ${JSON.stringify(body[field])}`);
          const path = `/api/clients/${body.id}`;
          if ((await stage.admin.get<ClientView>(path)).body[field] !== text)
            wrong.push(`${field} with ${what} was changed`);
          await stage.admin.delete(path);
        } else if (status !== 400 || body.errors?.[0]?.field !== field) {
          wrong.push(`${field} with ${what}: ${status} ${JSON.stringify(body)}`);
        }
      }
    }
  });

  it('reports of a server, with its own token', async () => {
    const report = stage.operations.find(({ name }) => name.includes('callbacks'))!;
    const at = new Date().toISOString();
    const sound = {
      version: 1,
      seq: 1,
      state: 'running',
      stage: 'docker',
      since: at,
      startedAt: at,
      stages: [],
      error: null,
    };
    for (const { path, schema } of fieldsOf(report.body!, stage.document)) {
      if (path === 'unknown' || path.includes('[')) continue;
      for (const value of wrongValues({ ...schema, nullable: path === 'error' }))
        mustRefuse(
          report,
          `${path} = ${JSON.stringify(value).slice(0, 60)}`,
          await json(report, JSON.stringify({ ...sound, [path]: value })),
        );
    }
    // What is text may hold anything: it is shown to people.
    const texts = [...Object.values(TRICKY_TEXTS), ...Object.values(BROKEN_TEXTS), `${'x'.repeat(499)}😀`];
    for (const text of texts.filter((each) => each.length < 5_000)) {
      const error = { stage: 'docker', cause: text, line: 1, exitCode: 1, logTail: [text] };
      const answer = await json(report, JSON.stringify({ ...sound, seq: 1, state: 'running', error }));
      mustRefuse(report, `a failure that is none, with ${JSON.stringify(text).slice(0, 60)}`, answer);
    }
  });
});
