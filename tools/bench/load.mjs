// Two ways to load a server. Closed loop: each connection sends again as soon as it has its answer, which shows what the
// server can do. Open loop: requests leave at their planned times whether answers come or not, and their latency counts
// from the planned time, so that a server which stalls cannot hide it by slowing down who asks.
import { Connection } from './connection.mjs';
import { percentiles } from './percentiles.mjs';

const now = () => Number(process.hrtime.bigint()) / 1e6;

/**
 * @param {{port: number, request: () => Buffer, connections: number, seconds: number, expect: number}} options `expect`:
 *   status of a good answer
 */
export function closedLoop({ port, request, connections, seconds, expect }) {
  const latencies = [];
  const statuses = new Map();
  const began = now();
  const ends = began + seconds * 1000;
  const one = () =>
    new Promise((resolve, reject) => {
      const connection = new Connection(port);
      const next = () => {
        const sent = now();
        if (sent >= ends) {
          connection.close();
          return resolve();
        }
        connection.send(request(), (error, status) => {
          if (error) return reject(error);
          latencies.push(now() - sent);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          next();
        });
      };
      next();
    });
  return Promise.all(Array.from({ length: connections }, one)).then(() =>
    result({ latencies, statuses, expect, ms: now() - began }),
  );
}

/** @param {{port: number, request: () => Buffer, perSecond: number, seconds: number, expect: number}} options */
export async function openLoop({ port, request, perSecond, seconds, expect }) {
  const total = Math.round(perSecond * seconds);
  const latencies = [];
  const statuses = new Map();
  const free = [];
  const all = [];
  const began = now() + 50;
  await new Promise((resolve, reject) => {
    let sent = 0;
    const send = (planned) => {
      const connection = free.pop() ?? new Connection(port);
      if (!all.includes(connection)) all.push(connection);
      connection.send(request(), (error, status) => {
        if (error) return reject(error);
        latencies.push(now() - planned);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        free.push(connection);
        if (latencies.length === total) resolve();
      });
    };
    const tick = () => {
      for (; sent < total && began + (sent * 1000) / perSecond <= now(); sent++)
        send(began + (sent * 1000) / perSecond);
      if (sent < total) setTimeout(tick, 1);
    };
    tick();
  });
  for (const connection of all) connection.close();
  return { ...result({ latencies, statuses, expect, ms: now() - began }), connections: all.length };
}

function result({ latencies, statuses, expect, ms }) {
  const good = statuses.get(expect) ?? 0;
  const others = [...statuses].filter(([status]) => status !== expect);
  return {
    requests: latencies.length,
    perSecond: (good * 1000) / ms,
    others: Object.fromEntries(others),
    latency: percentiles(latencies),
  };
}
