import { Installation, type Controller } from './support/controller-process';
import { provision, untilPhase } from './support/provision';
import { until } from './support/until';

const PROVISIONINGS = 12;

describe('three controllers', () => {
  let installation: Installation;
  let controllers: Controller[];

  beforeAll(async () => {
    installation = await Installation.create();
    controllers = await Promise.all([0, 1, 2].map(() => installation.startController()));
  });
  afterAll(() => installation.dispose());

  const requests = async (wanted: RegExp) =>
    (await installation.emulator.requests()).filter(({ method, path }) => wanted.test(`${method} ${path}`)).length;

  it('share the work of many provisionings: each step is done once, each server ordered once', async () => {
    const started = await Promise.all(
      Array.from({ length: PROVISIONINGS }, (_, index) => provision(controllers[index % 3]!.api)),
    );
    await Promise.all(
      started.map(async ({ body }, index) => {
        const seen = await untilPhase(controllers[(index + 1) % 3]!.api, body.id, 'ready');
        expect(seen).toMatchObject({ phase: 'ready', attempt: 1 });
      }),
    );
    const phases = await installation.query<{ phase: string; rows: number; events: number }>(
      `SELECT phase, count(DISTINCT client_id)::integer AS rows, count(*)::integer AS events
       FROM provisioning_events WHERE type = 'phase' GROUP BY phase ORDER BY phase`,
    );
    const each = { rows: PROVISIONINGS, events: PROVISIONINGS };
    expect(phases).toEqual(
      ['booting', 'creating-server', 'installing', 'ready', 'starting'].map((phase) => ({ phase, ...each })),
    );
    expect(await requests(/^POST .*\/servers$/)).toBe(PROVISIONINGS);
    const owners = (await installation.emulator.servers()).map(({ name }) => name);
    expect(new Set(owners).size).toBe(PROVISIONINGS);
  });

  it('look at waiting servers as often as one would: the looks follow one another, whoever takes them', async () => {
    // Accepted, and never seen: it is looked for again and again.
    await installation.emulator.addFault({ method: 'POST', path: '^/servers$', vanish: true, times: 1 });
    const { body } = await provision(controllers[0]!.api);
    const { serverId } = await untilPhase(controllers[1]!.api, body.id, 'booting');
    const looks = async () =>
      (await installation.emulator.requests())
        .filter(({ method, path }) => method === 'GET' && path.endsWith(`/servers/${serverId}`))
        .map(({ at }) => Date.parse(at));
    const times = await until(looks, ({ length }) => length >= 5);
    // Each is due 0.75 s or more after the one before was answered; of three observers some would be closer together.
    const gaps = times.slice(1).map((at, index) => at - times[index]!);
    expect(Math.min(...gaps)).toBeGreaterThan(600);
  });

  it('remove everything, whoever is asked', async () => {
    const clients = await installation.query<{ id: string }>('SELECT id FROM clients');
    const answers = await Promise.all(
      clients.map(({ id }, index) =>
        controllers[index % 3]!.api.delete(`/api/clients/${id}/provisioning`, { prefer: 'wait=120' }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(clients.map(() => 204));
    expect(await installation.emulator.serverNames()).toEqual([]);
  });
});
