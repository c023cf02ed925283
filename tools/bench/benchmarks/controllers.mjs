// One controller and three on one database: what they accept and what they get done, and whether anything is done twice.
import { readFileSync } from 'node:fs';
import { requestBytes } from '../connection.mjs';
import { closedLoop } from '../load.mjs';
import { startProbed } from '../probe.mjs';
import { limitProcessor } from '../processor-share.mjs';
import { Stage, until } from '../stage.mjs';
import { table } from '../table.mjs';

export const options = {
  seconds: { type: 'string', default: '10' },
  connections: { type: 'string', default: '12' },
  // Of one processor, for each controller: as machines of their own, whose processors are not the others'.
  share: { type: 'string', default: '' },
};
const NUMBERS = [1, 3];
const LIMIT_MS = 600_000;

export async function run({ seconds, connections, share }) {
  const results = [];
  for (const number of NUMBERS) {
    results.push(await measure(number, Number(seconds), Number(connections), share === '' ? null : Number(share)));
  }
  const [one, three] = results;
  const ratio = (key) => (three[key] / one[key]).toFixed(2);
  const row = (what, key, unit) => [what, ...results.map((each) => `${each[key].toFixed(1)}${unit}`), ratio(key)];
  return [
    `${seconds} s of orders over ${connections} connections, then until all are ready; servers that boot at once; PostgreSQL, emulator and load on the same processors; ${
      share === '' ? 'no limit for controllers' : `each controller limited to ${share} of one processor`
    }`,
    table(
      ['figure', ...NUMBERS.map((number) => `${number} controller(s)`), 'ratio'],
      [
        row('accepted a second', 'accepted', ''),
        row('provisionings to `ready` a second', 'done', ''),
        row('processor time of all controllers, of the machine', 'share', ' %'),
        row('processors busy altogether', 'busy', ' %'),
        ['phases begun twice, servers doubled', ...results.map(({ twice, doubled }) => `${twice}, ${doubled}`), ''],
      ],
    ),
  ];
}

async function measure(number, seconds, connections, share) {
  const stage = await Stage.start({
    durable: false,
    emulator: ['--boot-ms', '100', '--install-ms', '100', '--start-ms', '100'],
  });
  const limits = [];
  try {
    const controllers = [];
    for (let n = 0; n < number; n++) controllers.push(await startProbed(stage));
    if (share !== null) limits.push(...controllers.map(({ pid }) => limitProcessor(pid, share)));
    const before = processorTimes(controllers);
    const began = performance.now();
    let orders = 0;
    const loads = await Promise.all(
      controllers.map(({ port }) =>
        closedLoop({
          ...{ port, connections: connections / number, seconds, expect: 202 },
          request: () =>
            requestBytes({
              ...{ method: 'POST', path: '/api/clients/provisioning/provision', apiKey: stage.apiKey },
              body: {
                providerType: 'hetzner',
                serverType: 'cx33',
                name: `bench-${++orders}`,
                authenticationType: 'api_key',
              },
            }),
        }),
      ),
    );
    const unfinished = `SELECT count(*)::integer AS count FROM provisioning_references WHERE phase <> 'ready'`;
    await until(async () => (await stage.query(unfinished))[0].count === 0, 'all are ready', LIMIT_MS);
    const ms = performance.now() - began;
    const after = processorTimes(controllers);
    const total = after.total - before.total;
    const count = loads.reduce((sum, { requests }) => sum + requests, 0);
    return {
      accepted: loads.reduce((sum, { perSecond }) => sum + perSecond, 0),
      done: (count * 1_000) / ms,
      share: (100 * (after.own - before.own)) / total,
      busy: (100 * (total - (after.idle - before.idle))) / total,
      ...(await doneTwice(stage)),
    };
  } finally {
    await stage.stop();
    for (const end of limits) await end();
  }
}

async function doneTwice(stage) {
  const [{ twice }] = await stage.query(
    `SELECT count(*)::integer AS twice FROM (
       SELECT 1 FROM provisioning_events WHERE type = 'phase' GROUP BY provisioning_id, attempt, phase HAVING count(*) > 1
     ) AS more`,
  );
  const history = await stage.emulatorCall('GET', `/admin/history?token=${stage.token}`);
  const owners = history.map(({ labels }) => labels['agent-controller/provisioning']);
  return { twice, doubled: owners.length - new Set(owners).size };
}

/** In ticks: of the machine, and of these processes. */
function processorTimes(controllers) {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/).slice(1).map(Number);
  const own = controllers.reduce((sum, { pid }) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return sum + Number(stat[11]) + Number(stat[12]);
  }, 0);
  return { own, idle: fields[3] + (fields[4] ?? 0), total: fields.slice(0, 8).reduce((sum, each) => sum + each, 0) };
}
