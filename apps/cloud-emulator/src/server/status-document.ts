/** In the order in which they usually begin; they may overlap. */
export const STAGES = [
  'boot',
  'secrets',
  'docker',
  'proxy',
  'postgres-image',
  'agent-manager-image',
  'postgres',
  'agent-manager',
  'upkeep',
] as const;
export type Stage = (typeof STAGES)[number];

/** A folder that is mounted into the proxy. */
export const STATUS_FILE = '/run/agent-manager/status.json';

const MAX_LOG_BYTES = 9_000;

export interface StatusView {
  version: 1;
  seq: number;
  state: 'running' | 'failed' | 'finished';
  stage: Stage;
  since: string;
  startedAt: string;
  stages: { name: Stage; startedAt: string; endedAt: string | null }[];
  error: null | { stage: Stage; cause: string; line: number; exitCode: number; logTail: string[] };
}

/** Why a bootstrap stops. */
export interface InstallFailure {
  stage: Exclude<Stage, 'boot'>;
  /** One sentence for people. */
  cause: string;
  logTail?: string[];
}

/** What a server says of how far it is, as its `report.py` keeps it. */
export class StatusDocument {
  readonly #view: StatusView;

  constructor(
    orderedAt: Date,
    private readonly changed: (view: StatusView) => void,
  ) {
    const now = new Date().toISOString();
    const boot = { name: 'boot' as const, startedAt: orderedAt.toISOString(), endedAt: now };
    this.#view = {
      version: 1,
      seq: 0,
      state: 'running',
      stage: 'boot',
      since: boot.startedAt,
      startedAt: now,
      stages: [boot],
      error: null,
    };
  }

  get view(): StatusView {
    return structuredClone(this.#view);
  }

  /** Several at once are one change. */
  report({ ended = [], begun = [], finished = false }: { ended?: Stage[]; begun?: Stage[]; finished?: boolean }): void {
    const now = new Date().toISOString();
    const { stages } = this.#view;
    for (const stage of stages) if (ended.includes(stage.name)) stage.endedAt ??= now;
    stages.push(...begun.map((name) => ({ name, startedAt: now, endedAt: null })));
    // Of several that run, the one that began last is named.
    const current = stages.findLast(({ endedAt }) => endedAt === null) ?? stages.at(-1);
    if (current) Object.assign(this.#view, { stage: current.name, since: current.startedAt });
    if (finished) this.#view.state = 'finished';
    this.write();
  }

  fail({ stage, cause, logTail = [] }: InstallFailure): void {
    const lines = [...logTail];
    while (Buffer.byteLength(JSON.stringify(lines)) > MAX_LOG_BYTES) lines.shift();
    const error = { stage, cause, line: 1, exitCode: 1, logTail: lines };
    Object.assign(this.#view, { state: 'failed', stage, since: new Date().toISOString(), error });
    this.write();
  }

  private write(): void {
    this.#view.seq += 1;
    this.changed(this.view);
  }
}
