// Orders of many servers, and what the provider was asked meanwhile.
import { setTimeout as sleep } from 'node:timers/promises';
import { severalAtOnce, until } from './stage.mjs';

/** What is ordered, by `providerType`. */
const SERVER_TYPES = { hetzner: 'cx33', 'digital-ocean': 's-2vcpu-4gb' };
export const ORDERED_AT_ONCE = 20;
const LIMIT_MS = 1_800_000;

/** Those of the providers, which the stage had raised. */
export function setRealLimits(stage) {
  return stage.setEmulator({ burstPerMinute: 250, keyListsPerMinute: 10 });
}

export function order(stage, controller, { provider, name }) {
  return stage.call(controller, 'POST', '/api/clients/provisioning/provision', {
    ...{ providerType: provider, serverType: SERVER_TYPES[provider], name, authenticationType: 'api_key' },
  });
}

/** Names are bench-0 and so on; the controllers take turns. @returns ids of the clients */
export function orderAll(stage, controllers, provider, count) {
  return severalAtOnce(ORDERED_AT_ONCE, count, async (n) => {
    const { body } = await order(stage, controllers[n % controllers.length], { provider, name: `bench-${n}` });
    return body.id;
  });
}

export async function countPhase(stage, name, phase) {
  const [{ count }] = await stage.query(
    `SELECT count(*)::integer AS count FROM provisioning_references JOIN clients ON clients.id = client_id
     WHERE name LIKE $1 AND phase = ANY($2)`,
    [name, [phase].flat()],
  );
  return count;
}

/** @returns when all were ready, and how many failed instead */
export async function untilReady(stage, count) {
  const ended = await until(
    async () => (await countPhase(stage, 'bench-%', ['ready', 'failed'])) === count && new Date(),
    'all are ready or failed',
    LIMIT_MS,
  );
  return { ended, failed: await countPhase(stage, 'bench-%', 'failed') };
}

/** @returns {Promise<Record<string, number>>} of method and path, ids left out */
export async function callsByKind(stage, from, until) {
  await sleep(100);
  const calls = {};
  for (const { at, method, path } of await stage.providerRequests()) {
    if (new Date(at) < from || new Date(at) > until) continue;
    const kind = `${method} ${path.replace(/\d{3,}/, ':id').replace(/\?.*/, '')}`;
    calls[kind] = (calls[kind] ?? 0) + 1;
  }
  return calls;
}

/** Rows of a table: how many there were for each of `count`, in all and by kind. */
export function callRows(calls, count, what) {
  const ofEach = (times) => (times / count).toFixed(2);
  const total = Object.values(calls).reduce((sum, each) => sum + each, 0);
  return [
    [`provider calls per ${what}`, ofEach(total)],
    ...Object.entries(calls).map(([kind, times]) => [`– ${kind}`, ofEach(times)]),
  ];
}
