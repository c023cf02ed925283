import type { Pool, QueryConfig } from 'pg';
import type { DataSource, Logger as QueryLogger } from 'typeorm';

interface SentQuery {
  sql: string;
  parameters: unknown[];
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  Plans?: PlanNode[];
}

/** Statements that have a plan worth looking at. */
const PLANNED = /^\s*(SELECT|UPDATE|DELETE|WITH)\b/i;

/** The statements that repositories really send, and how PostgreSQL would run each. */
export class QueryPlans {
  readonly #sent = new Map<string, SentQuery>();

  constructor(private readonly dataSource: DataSource) {
    const logQuery = (sql: string, parameters: unknown[] = []) => this.note(sql, parameters);
    const ignore = () => undefined;
    const logger: QueryLogger = {
      ...{ logQuery, logQueryError: ignore, logQuerySlow: ignore, logSchemaBuild: ignore },
      ...{ logMigration: ignore, log: ignore },
    };
    Object.assign(dataSource, { logger });
    // What goes past TypeORM (`quickQuery`).
    const { master } = dataSource.driver as unknown as { master: Pool };
    const query = master.query.bind(master) as (config: QueryConfig) => unknown;
    Object.assign(master, {
      query: (config: QueryConfig) => {
        this.note(config.text, config.values ?? []);
        return query(config);
      },
    });
  }

  private note(sql: string, parameters: unknown[]): void {
    if (PLANNED.test(sql)) this.#sent.set(sql.replaceAll(/\s+/g, ' ').trim(), { sql, parameters });
  }

  /** Runs the work, and explains what it sent. @returns `table: statement` for each that reads a large table as a whole */
  async wholeTables(
    large: readonly string[],
    work: () => Promise<unknown>,
  ): Promise<{ count: number; whole: string[] }> {
    this.#sent.clear();
    await work();
    const sent = [...this.#sent];
    const whole: string[] = [];
    for (const [text, { sql, parameters }] of sent) {
      const answer: { 'QUERY PLAN': [{ Plan: PlanNode }] }[] = await this.dataSource.query(
        `EXPLAIN (FORMAT JSON) ${sql}`,
        parameters,
      );
      const plan = answer[0]?.['QUERY PLAN'][0].Plan;
      for (const table of plan ? scanned(plan) : []) if (large.includes(table)) whole.push(`${table}: ${text}`);
    }
    this.#sent.clear();
    return { count: sent.length, whole };
  }
}

/** Tables that are read from end to end. */
function scanned(node: PlanNode): string[] {
  const own = node['Node Type'] === 'Seq Scan' ? [node['Relation Name'] ?? '?'] : [];
  return [...own, ...(node.Plans ?? []).flatMap(scanned)];
}
