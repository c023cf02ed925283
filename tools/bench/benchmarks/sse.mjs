// Streams of events: what many open ones cost a controller, and how long an event takes that another controller wrote.
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { seedFleet } from '../fleet-rows.mjs';
import { percentiles } from '../percentiles.mjs';
import { startProbed } from '../probe.mjs';
import { severalAtOnce, Stage, until } from '../stage.mjs';
import { table } from '../table.mjs';

const { Client } = createRequire(import.meta.url)('pg');

export const options = {
  streams: { type: 'string', default: '1000' },
  events: { type: 'string', default: '2000' },
  rate: { type: 'string', default: '100' },
};
const OPENED_AT_ONCE = 50;

export async function run(given) {
  const [streams, events, rate] = [given.streams, given.events, given.rate].map(Number);
  const stage = await Stage.start({
    durable: false,
    emulator: ['--boot-ms', '100', '--install-ms', '100', '--start-ms', '100'],
  });
  try {
    const controller = await startProbed(stage);
    await seedFleet(stage, controller, streams);
    const rows = await stage.query('SELECT id, client_id AS client FROM provisioning_references LIMIT $1', [streams]);
    await sleep(3_000);
    const before = controller.residentMiB();
    const delays = [];
    const open = await openAll(controller, stage.apiKey, rows, delays);
    await sleep(3_000);
    const after = controller.residentMiB();
    controller.reset();
    await writeEvents(stage, rows, { events, rate });
    await until(async () => delays.length >= events, `${events} events arrive`, 30_000).catch(() => undefined);
    const { p50, p95, p99, max } = percentiles(delays);
    const { p99: late } = controller.probe();
    const peak = controller.residentMiB();
    open.forEach((stream) => stream.destroy());
    return [
      `${streams} streams of as many clients on one controller; ${rate} events a second, written by another connection as another controller writes them`,
      table(
        ['figure', 'value'],
        [
          [
            'resident memory before, with all streams, after the events',
            `${before.toFixed(0)}, ${after.toFixed(0)}, ${peak.toFixed(0)} MiB`,
          ],
          ['delivered', `${delays.length} of ${events}`],
          [
            'from the commit to the caller, p50 / p95 / p99 / longest',
            [p50, p95, p99, max].map((ms) => ms.toFixed(0)).join(' / ') + ' ms',
          ],
          ['event loop delay, p99', `${late.toFixed(0)} ms`],
        ],
      ),
    ];
  } finally {
    await stage.stop();
  }
}

function openAll(controller, apiKey, rows, delays) {
  return severalAtOnce(OPENED_AT_ONCE, rows.length, (n) => openStream(controller, apiKey, rows[n], delays));
}

/** Open when its first bytes came. */
function openStream({ port }, apiKey, { client }, delays) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${apiKey}`, accept: 'text/event-stream', 'last-event-id': '1000' };
    const path = `/api/clients/${client}/provisioning/events`;
    const outgoing = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`${path} answers ${response.statusCode}`));
      response.setEncoding('utf8').on('data', (text) => {
        const arrived = Date.now();
        for (const [, at] of text.matchAll(/"message":"written at (\d+)"/g)) delays.push(arrived - Number(at));
        resolve(outgoing);
      });
      response.on('error', () => undefined);
    });
    outgoing.on('error', reject).end();
  });
}

/** As EventLog does: the line, and its announcement, in one transaction. Numbers go on where no stream has begun. */
async function writeEvents(stage, rows, { events, rate }) {
  const client = new Client({ connectionString: stage.databaseUrl });
  await client.connect();
  const began = performance.now();
  for (let n = 0; n < events; n++) {
    await sleep(Math.max(0, began + (n * 1_000) / rate - performance.now()));
    const row = rows[n % rows.length];
    await client.query(
      `WITH line AS (
         INSERT INTO provisioning_events (provisioning_id, seq, client_id, at, type, phase, attempt, message)
         VALUES ($1, $2, $3, now(), 'note', 'ready', 1, $4))
       SELECT pg_notify('provisioning_changed', $3::text)`,
      [row.id, 1_001 + Math.floor(n / rows.length), row.client, `written at ${Date.now()}`],
    );
  }
  await client.end();
}
