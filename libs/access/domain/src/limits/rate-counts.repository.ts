import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

export interface RateDelta {
  key: string;
  windowStart: Date;
  count: number;
}

/** The table `rate_counts`. */
@Injectable()
export class RateCountsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Adds what one controller has counted, by one statement. @returns the sums over all controllers */
  async add(deltas: readonly RateDelta[]): Promise<RateDelta[]> {
    // In one order everywhere, so that two controllers never wait for each other.
    const sorted = [...deltas].sort((a, b) => (a.key < b.key ? -1 : 1));
    return this.dataSource.query(
      `INSERT INTO rate_counts AS known (key, window_start, count)
       SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::integer[])
       ON CONFLICT (key) DO UPDATE
       SET count = CASE WHEN known.window_start < excluded.window_start THEN excluded.count
                        WHEN known.window_start = excluded.window_start THEN known.count + excluded.count
                        ELSE known.count END,
           window_start = greatest(known.window_start, excluded.window_start)
       RETURNING key, window_start AS "windowStart", count`,
      [sorted.map(({ key }) => key), sorted.map(({ windowStart }) => windowStart), sorted.map(({ count }) => count)],
    );
  }

  async forgetBefore(windowStart: Date): Promise<void> {
    await this.dataSource.query('DELETE FROM rate_counts WHERE window_start < $1', [windowStart]);
  }
}
