import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port';
import { until } from './until';

/** CI installs Debian's package and sets REQUIRE_SYSTEM_TOOLS=1: there, a missing one is a failure. */
export const hasPrometheus =
  process.env.REQUIRE_SYSTEM_TOOLS === '1' || spawnSync('prometheus', ['--version']).status === 0;

interface Result {
  status: string;
  error?: string;
  data: { result: { metric: Record<string, string> }[] };
}

interface Rules {
  data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
}

/** A Prometheus that scrapes one controller each second. */
export class Prometheus {
  private constructor(
    private readonly child: ChildProcess,
    private readonly url: string,
    private readonly folder: string,
    private readonly startedAt: number,
  ) {}

  /** @param rules a file of alerting rules */
  static async start(target: string, apiKey: string, rules: string): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
    const configuration = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: [rules],
      scrape_configs: [
        {
          job_name: 'agent-controller',
          authorization: { credentials: apiKey },
          static_configs: [{ targets: [new URL(target).host] }],
        },
      ],
    };
    const file = join(folder, 'prometheus.yml');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(configuration), { mode: 0o600 });
    const port = await freePort();
    const options = [
      `--config.file=${file}`,
      `--storage.tsdb.path=${folder}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const child = spawn('prometheus', options, { stdio: 'ignore' });
    const prometheus = new Prometheus(child, `http://127.0.0.1:${port}`, folder, Date.now());
    process.on('exit', () => child.kill('SIGKILL'));
    await until(
      () =>
        fetch(`${prometheus.url}/-/ready`).then(
          ({ ok }) => ok,
          () => false,
        ),
      (isReady) => isReady,
    );
    return prometheus;
  }

  /** Since it began. @returns how many series have values @throws Error when the expression is wrong */
  async series(expression: string): Promise<number> {
    const question = new URLSearchParams({
      query: expression,
      start: String(this.startedAt / 1000),
      end: String(Date.now() / 1000),
      step: '1',
    });
    const answer = await this.ask<Result>(`query_range?${question.toString()}`);
    if (answer.status !== 'success') throw new Error(`${expression}: ${answer.error}`);
    return answer.data.result.length;
  }

  async names(): Promise<string[]> {
    return (await this.ask<{ data: string[] }>('label/__name__/values')).data;
  }

  async rules(): Promise<Rules['data']['groups'][number]['rules']> {
    return (await this.ask<Rules>('rules')).data.groups.flatMap(({ rules }) => rules);
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill();
    await exited;
    rmSync(this.folder, { recursive: true });
  }

  private async ask<T>(path: string): Promise<T> {
    return (await (await fetch(`${this.url}/api/v1/${path}`)).json()) as T;
  }
}
