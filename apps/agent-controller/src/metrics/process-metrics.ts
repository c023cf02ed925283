import { openPools } from '@agent-controller/database';
import type { Pool } from 'pg';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { DataSource } from 'typeorm';

/** Two scrapes that follow each other at once would divide next to nothing by next to nothing. */
const SHORTEST_MS = 1_000;

/** What this process is made of: memory, event loop, connections to the database. */
export function addProcessMetrics(registry: Registry, dataSource: Pick<DataSource, 'driver'>): void {
  collectDefaultMetrics({ register: registry });
  let since = performance.eventLoopUtilization();
  let sinceAt = performance.now();
  let busy = 0;
  const utilization: Gauge = new Gauge({
    name: 'nodejs_eventloop_utilization_ratio',
    help: 'Share of the time since the last scrape in which the event loop was busy.',
    registers: [registry],
    collect: () => {
      if (performance.now() - sinceAt >= SHORTEST_MS) {
        const now = performance.eventLoopUtilization();
        busy = performance.eventLoopUtilization(now, since).utilization;
        [since, sinceAt] = [now, performance.now()];
      }
      utilization.set(busy);
    },
  });
  const waiting = new Gauge({
    name: 'database_pool_waiting',
    help: 'Who waits for a connection to the database.',
    labelNames: ['pool'],
    registers: [registry],
  });
  const connections: Gauge = new Gauge({
    name: 'database_pool_connections',
    help: 'Connections to the database.',
    labelNames: ['pool', 'state'],
    registers: [registry],
    collect: () => {
      for (const { name, pool } of pools(dataSource)) {
        connections.set({ pool: name, state: 'used' }, pool.totalCount - pool.idleCount);
        connections.set({ pool: name, state: 'idle' }, pool.idleCount);
        waiting.set({ pool: name }, pool.waitingCount);
      }
    },
  });
}

function pools({ driver }: Pick<DataSource, 'driver'>): { name: string; pool: Pool }[] {
  const { master } = driver as { master?: Pool };
  return [...(master ? [{ name: 'requests', pool: master }] : []), ...openPools()];
}
