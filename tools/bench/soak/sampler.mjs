// What a soak looks at every few seconds: the controllers from inside and outside, and the database.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processorSeconds, residentMiB } from '../processes.mjs';
import { until } from '../stage.mjs';

const PROBE = fileURLToPath(new URL('./soak-probe.mjs', import.meta.url));
const MIB = 2 ** 20;
/** What a bloated table would show; the others are small, or only grow by what is written on purpose. */
const TABLES = [
  'clients',
  'provisioning_references',
  'provisioning_events',
  'provisioning_tombstones',
  'idempotency_keys',
  'audit_log',
  'provider_budgets',
  '_private_jobs',
  '_private_job_queues',
];

/** A controller that can be asked what it holds. */
export async function startSoaked(stage, env, name) {
  const file = join(stage.folder, `soak-${name}.json`);
  const nodeFlags = ['--expose-gc', '--import', PROBE];
  const controller = await stage.startController({ nodeFlags, env: { ...env, BENCH_PROBE: file } });
  const read = () => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { round: 0 });
  const probe = async () => {
    const { round } = read();
    process.kill(controller.pid, 'SIGUSR2');
    return until(() => read().round > round && read(), 'the controller tells what it holds');
  };
  return { ...controller, probe };
}

/** @returns a flat list of figures */
export async function sample(stage, controllers) {
  const figures = {};
  for (const [index, controller] of controllers.entries()) {
    const name = (what) => (controllers.length > 1 ? `${what} [${index + 1}]` : what);
    figures[name('resident MiB')] = controller.residentMiB();
    figures[name('open files')] = readdirSync(`/proc/${controller.pid}/fd`).length;
    const { heapUsed, external, loop, open, statements } = await controller.probe();
    figures[name('heap after collection MiB')] = heapUsed / MIB;
    figures[name('buffers after collection MiB')] = external / MIB;
    figures[name('sockets')] = (open.TCPSocketWrap ?? 0) + (open.TCPServerWrap ?? 0);
    figures[name('timers')] = open.Timeout ?? 0;
    figures[name('event loop p99 ms')] = loop.p99;
    figures[name('statements')] = statements;
    figures[name('processor seconds')] = processorSeconds(controller.pid);
  }
  return { ...figures, ...(await database(stage)), 'emulator MiB': residentMiB(stage.emulator.child.pid) };
}

async function database(stage) {
  const [all] = await stage.query(`
    SELECT (SELECT count(*)::integer FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()) AS "connections",
      (SELECT count(*)::integer FROM graphile_worker.jobs) AS "jobs",
      (SELECT count(*)::integer FROM graphile_worker.jobs
        WHERE attempts >= max_attempts AND locked_at IS NULL) AS "failed jobs",
      (SELECT count(*)::integer FROM provisioning_references) AS "clients that exist",
      (SELECT pg_database_size(current_database()) / 1048576.0)::float AS "database MiB",
      (SELECT xact_commit::integer FROM pg_stat_database WHERE datname = current_database()) AS "transactions",
      (SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float / 1048576) AS "log of the database MiB"`);
  const tables = await stage.query(
    `SELECT relname AS name, pg_total_relation_size(relid)::float / 1048576 AS mib, n_live_tup::integer AS live,
       n_dead_tup::integer AS dead, (n_tup_ins + n_tup_upd + n_tup_del)::integer AS written, autovacuum_count::integer AS vacuumed
     FROM pg_stat_user_tables WHERE relname = ANY($1) ORDER BY relname`,
    [TABLES],
  );
  const figures = { ...all };
  for (const { name, mib, live, dead, written, vacuumed } of tables) {
    figures[`${name} MiB`] = mib;
    figures[`${name} rows`] = live;
    figures[`${name} dead rows`] = dead;
    figures[`${name} rows written`] = written;
    figures[`${name} times vacuumed`] = vacuumed;
  }
  return figures;
}
