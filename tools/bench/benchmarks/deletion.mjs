// Many deletions at once, at the providers' real limits: when servers end, when that is proven, and what it costs.
import { callRows, callsByKind, orderAll, ORDERED_AT_ONCE, setRealLimits, untilReady } from '../orders.mjs';
import { percentiles } from '../percentiles.mjs';
import { startProbed } from '../probe.mjs';
import { severalAtOnce, Stage, until } from '../stage.mjs';
import { table } from '../table.mjs';

export const options = {
  count: { type: 'string', default: '300' },
  provider: { type: 'string', default: 'digital-ocean' },
};
const LIMIT_MS = 3_600_000;
/** Requests in an hour, by `providerType`, and the provider's name at the emulator. */
const PROJECTS = {
  hetzner: { provider: 'hetzner', remaining: 3_600 },
  'digital-ocean': { provider: 'digitalocean', remaining: 5_000 },
};

export async function run({ count: given, provider }) {
  const count = Number(given);
  const stage = await Stage.start({ durable: false });
  try {
    const controller = await startProbed(stage, {});
    await stage.setEmulator({ bootMs: 1_000, installMs: 100, startMs: 100 });
    const ids = await orderAll(stage, [controller], provider, count);
    const { failed } = await untilReady(stage, count);
    if (failed > 0) throw new Error(`${failed} of ${count} were not made`);
    // As a project of which nothing was asked for an hour, for the provider and for the controller.
    await stage.emulatorCall('POST', '/admin/tokens/budget', { ...PROJECTS[provider], token: stage.token });
    await stage.query('DELETE FROM provider_budgets');
    await setRealLimits(stage);
    controller.reset();
    const from = new Date();
    await severalAtOnce(ORDERED_AT_ONCE, count, (n) =>
      stage.call(controller, 'DELETE', `/api/clients/${ids[n]}/provisioning`),
    );
    const acceptedMs = Date.now() - from.getTime();
    await until(() => isEmpty(stage), 'all rows are gone', LIMIT_MS);
    const rows = await figures(stage, { from, count, acceptedMs, controller });
    return [`the providers' real rate limits, with a full budget at first`, table(['figure', 'value'], rows)];
  } finally {
    await stage.stop();
  }
}

async function isEmpty(stage) {
  const [{ count }] = await stage.query('SELECT count(*)::integer AS count FROM provisioning_references');
  return count === 0;
}

async function figures(stage, { from, count, acceptedMs, controller }) {
  const history = await stage.emulatorCall('GET', `/admin/history?token=${stage.token}`);
  const ended = history.filter(({ deletedAt }) => deletedAt !== null).map(({ deletedAt }) => new Date(deletedAt));
  const tombstones = await stage.query('SELECT deleted_at AS at FROM provisioning_tombstones');
  const calls = await callsByKind(stage, from, new Date());
  const seconds = (times) => {
    const { p50, p95, max } = percentiles(times.map((at) => (at - from) / 1000));
    return `${p50.toFixed(1)} / ${p95.toFixed(1)} / ${max.toFixed(1)} s`;
  };
  const { p99 } = controller.probe();
  return [
    ['deletions accepted', `${count} in ${(acceptedMs / 1000).toFixed(1)} s`],
    ['servers left', String(history.length - ended.length)],
    ['server ended after, p50 / p95 / last', seconds(ended)],
    ['gone for the controller after, p50 / p95 / last', seconds(tombstones.map(({ at }) => at))],
    ...callRows(calls, count, 'deletion'),
    ['resident memory, highest', `${controller.peakMiB().toFixed(0)} MiB`],
    ['event loop delay, p99', `${p99.toFixed(0)} ms`],
  ];
}
