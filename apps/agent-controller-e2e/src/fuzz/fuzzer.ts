import * as fc from 'fast-check';
import { AnswerCheck } from './answer-check';
import { fuzzRequests, pathOf, type Existing, type FuzzRequest } from './fuzz-request';
import { FuzzStage } from './fuzz-stage';
import { heapInUse } from './heap';
import { RawCaller, type RawAnswer } from './raw-call';
import { SchemaValues } from './schema-values';

const CONCURRENCY = 16;
const BATCH = 400;
/** A call that hangs is one, not a slow one. */
const CALL_LIMIT_MS = 60_000;
const MAX_PROBLEMS = 20;
const SHOWN = 600;
/** What no installation meets in so short a time must not stop this one. */
const EMULATOR = { burstPerMinute: 1_000_000, keyListsPerMinute: 1_000_000, deleteMs: 50 };
/** Compiled code, caches that fill up, and metrics of new routes and statuses; a leak grows with every request. */
const HEAP_ALLOWANCE = 8 * 1024 * 1024;

export interface FuzzOptions {
  requests: number;
  seed: number;
  /** Module that is preloaded into the controller. */
  heapProbe: string;
  log: (line: string) => void;
}

export interface FuzzReport {
  sent: number;
  /** How many answers had each status. */
  statuses: Record<number, number>;
  /** How many requests each operation got, and how many of them it accepted. */
  operations: Record<string, { sent: number; accepted: number }>;
  problems: string[];
  heap: { middle: number; end: number };
}

/** Sends random requests to every route, and compares every answer with the OpenAPI document. */
export class Fuzzer {
  readonly #report: FuzzReport = { sent: 0, statuses: {}, operations: {}, problems: [], heap: { middle: 0, end: 0 } };
  readonly #existing: Existing = { client: [], provisioned: [], server: [], provisioning: [] };

  constructor(private readonly options: FuzzOptions) {}

  async fuzz(): Promise<FuzzReport> {
    const stage = await FuzzStage.create({ NODE_OPTIONS: `--import ${this.options.heapProbe}` });
    await stage.installation.emulator.changeSettings(EMULATOR);
    const caller = new RawCaller(stage.controller.url, CONCURRENCY, CALL_LIMIT_MS);
    try {
      await this.sendAll(stage, caller);
      await this.finish(stage, caller);
    } finally {
      caller.close();
      await stage.dispose();
    }
    return this.#report;
  }

  private async sendAll(stage: FuzzStage, caller: RawCaller): Promise<void> {
    const { requests, seed, log } = this.options;
    const requestsOf = fuzzRequests(stage.operations, new SchemaValues(stage.document));
    const check = new AnswerCheck(stage.document);
    const middle = Math.floor(requests / 2 / BATCH) * BATCH;
    for (let sent = 0; sent < requests && this.#report.problems.length < MAX_PROBLEMS; sent += BATCH) {
      if (sent === middle) this.#report.heap.middle = await heapInUse(stage.controller);
      // A seed for each batch: the same however many there are.
      const batch = fc.sample(requestsOf, { seed: seed + sent / BATCH, numRuns: Math.min(BATCH, requests - sent) });
      await stage.prepare();
      this.#existing.provisioning = await stage.reporting();
      const next = batch[Symbol.iterator]();
      const worker = async () => {
        for (const request of next) await this.send(request, stage, caller, check);
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, worker));
      stage.checkAlive();
      if ((sent / BATCH) % 10 === 9) log(`${sent + BATCH} of ${requests} requests`);
    }
    this.#report.heap.end = await heapInUse(stage.controller);
  }

  private async send(request: FuzzRequest, stage: FuzzStage, caller: RawCaller, check: AnswerCheck): Promise<void> {
    const { operation, call, isStray } = request;
    const path = pathOf(request, this.#existing);
    const headers = { ...stage.authorization(request.caller, path), ...call.headers };
    const counts = (this.#report.operations[operation.name] ??= { sent: 0, accepted: 0 });
    counts.sent++;
    this.#report.sent++;
    let answer: RawAnswer;
    try {
      answer = await caller.call({ ...call, path, headers });
    } catch (error) {
      return this.note(request, path, `is not answered: ${(error as Error).message}`);
    }
    const { status } = answer;
    this.#report.statuses[status] = (this.#report.statuses[status] ?? 0) + 1;
    if (status < 400 && !isStray) counts.accepted++;
    const isHead = call.method === 'HEAD';
    const problem = isHead ? (status < 500 ? null : `answers ${status}`) : check.problem(operation, answer, isStray);
    if (problem) this.note(request, path, `${problem}: ${answer.text.slice(0, SHOWN)}`);
    this.learn(answer);
    if (status === 404 && request.caller === 'admin') this.forget(path);
  }

  private note({ operation, caller, call }: FuzzRequest, path: string, problem: string): void {
    const body = call.body === null ? '' : ` ${JSON.stringify(call.body.toString('latin1').slice(0, SHOWN))}`;
    const what = `${operation.name}: ${problem}`;
    // Once of a kind is enough.
    if (this.#report.problems.some((each) => each.slice(0, 90) === what.slice(0, 90))) return;
    this.#report.problems.push(
      `${what}\n    ${caller}: ${call.method} ${path.slice(0, SHOWN)} ${JSON.stringify(call.headers).slice(0, SHOWN)}${body}`,
    );
  }

  /** What was made is asked for by later requests. */
  private learn({ status, text, type }: RawAnswer): void {
    if (status > 202 || type !== 'application/json' || text === '') return;
    const { id, serverId, servers } = JSON.parse(text) as { id?: string; serverId?: string | null; servers?: unknown };
    const { client, provisioned, server } = this.#existing;
    if (id && !client.includes(id)) client.push(id);
    if (id && serverId !== undefined && !provisioned.includes(id)) provisioned.push(id);
    if (serverId && !server.includes(serverId)) server.push(serverId);
    // Orphans are few, and what most calls with a server's id want.
    if (Array.isArray(servers)) this.#existing.server = servers.map((each) => (each as { serverId: string }).serverId);
    // The newest ones are there, or were deleted a while ago.
    for (const ids of Object.values(this.#existing)) if (ids.length > 30) ids.shift();
  }

  private forget(path: string): void {
    for (const kind of ['client', 'provisioned'] as const)
      this.#existing[kind] = this.#existing[kind].filter((id) => !path.toLowerCase().includes(id));
  }

  private async finish(stage: FuzzStage, caller: RawCaller): Promise<void> {
    const { problems, heap } = this.#report;
    const path = '/api/health/live';
    const alive = await caller.call({ method: 'GET', path, headers: {}, body: null });
    if (alive.status !== 200) problems.push(`it does not live: ${alive.status}`);
    if (heap.end - heap.middle > HEAP_ALLOWANCE) problems.push(`its memory grows: ${JSON.stringify(heap)}`);
    for (const line of stage.controller.log().split('\n')) {
      if (/"level":(50|60)|unhandled|Unhandled/.test(line))
        problems.push(`it logged an error: ${line.slice(0, 2_000)}`);
    }
    problems.push(...(await stage.clear()));
  }
}
