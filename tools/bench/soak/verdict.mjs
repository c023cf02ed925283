// Whether something grows: the second quarter of a soak against its last one. The first is left out: caches fill, tables
// reach their size.
import { median } from '../percentiles.mjs';

/** By the first that a name has in it: the share of the second quarter, and what is added to it, that may be more at the end. */
const ALLOWED = [
  [/^resident MiB/, 0.05, 10],
  [/^heap after/, 0.03, 1],
  [/^buffers after/, 0.1, 2],
  [/^(open files|sockets)/, 0.1, 10],
  [/^timers/, 0.1, 10],
  [/^event loop/, 0.25, 10],
  [/^connections/, 0, 2],
  [/^failed jobs/, 0, 0],
  [/^(jobs|clients that exist)/, 0.15, 20],
  [/^audit_log (MiB|rows)/, Infinity, 0],
  [/^database MiB/, Infinity, 0],
  [/ dead rows$/, 0.25, 1_000],
  [/ rows$/, 0.1, 200],
  [/ MiB$/, 0.1, 1],
];
const COUNTERS = /^(statements|processor seconds|transactions|log of the database)| (rows written|times vacuumed)$/;
const SHOWN_ONLY = 'grows on purpose, or is not the controller’s';

/**
 * @param {{seconds: number}[]} samples in their order, with figures by name
 * @returns {{name: string, second: number, last: number, perHour: number, allowed: number, verdict: string}[]}
 */
export function verdicts(samples) {
  const [from, to] = [samples[0].seconds, samples.at(-1).seconds];
  const at = (share) => from + (to - from) * share;
  const between = (one, other) => samples.filter(({ seconds }) => seconds >= at(one) && seconds <= at(other));
  const [second, last] = [between(0.25, 0.5), between(0.75, 1)];
  const names = Object.keys(samples[0]).filter((name) => name !== 'seconds' && !COUNTERS.test(name));
  return names.map((name) => {
    const [before, after] = [second, last].map((quarter) => median(quarter.map((each) => each[name])));
    const [, share, plus] = ALLOWED.find(([pattern]) => pattern.test(name)) ?? [null, 0.1, 1];
    const allowed = name.startsWith('emulator') ? Infinity : share * before + plus;
    return {
      name,
      second: before,
      last: after,
      perHour: slopePerHour(samples, at(0.25), name),
      ...judged(before, after, allowed),
    };
  });
}

function judged(before, after, allowed) {
  if (!Number.isFinite(allowed)) return { allowed, verdict: SHOWN_ONLY };
  return { allowed, verdict: after - before > allowed ? 'GROWS' : 'flat' };
}

/** Of the straight line through all samples after a time, by least squares. */
function slopePerHour(samples, from, name) {
  const points = samples.filter(({ seconds }) => seconds >= from).map((each) => [each.seconds, each[name]]);
  const mean = (index) => points.reduce((sum, point) => sum + point[index], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const across = points.reduce((sum, [seconds]) => sum + (seconds - x) ** 2, 0);
  const along = points.reduce((sum, [seconds, value]) => sum + (seconds - x) * (value - y), 0);
  return across === 0 ? 0 : (along / across) * 3_600;
}

/** What one provisioning costs the database, from its order to the end of its deletion: between two samples. */
export function costs(samples, lives) {
  const [first, last] = [samples[Math.floor(samples.length / 4)], samples.at(-1)];
  const each = (name) => (last[name] - first[name]) / lives;
  const names = Object.keys(first);
  const sum = (pattern) => names.filter((name) => pattern.test(name)).reduce((total, name) => total + each(name), 0);
  return [
    ['statements', sum(/^statements/)],
    ['milliseconds of a processor, of the controllers', sum(/^processor seconds/) * 1_000],
    ['transactions', each('transactions')],
    ['rows written, of the tables above', sum(/ rows written$/)],
    ['KiB of the log of the database (WAL)', each('log of the database MiB') * 1_024],
  ];
}
