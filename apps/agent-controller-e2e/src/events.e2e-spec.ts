import type { ProvisioningEventView } from '@agent-controller/contracts';
import { firstAbort } from '@agent-controller/kernel';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Installation, type Controller } from './support/controller-process';
import { openStream } from './support/event-stream';
import { provision, untilPhase } from './support/provision';
import { until } from './support/until';

type Follow = (
  id: string,
  key: string,
  onEvent: (event: ProvisioningEventView) => void,
  signal: AbortSignal,
) => Promise<void>;

describe('streams of events', () => {
  let installation: Installation;
  let controller: Controller;

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController();
  });
  afterAll(() => installation.dispose());

  const path = (id: string) => `/api/clients/${id}/provisioning/events`;
  const begin = async () => (await provision(controller.api)).body.id;
  const remove = (id: string) => controller.api.delete(`/api/clients/${id}/provisioning`, { prefer: 'wait=60' });

  it('go on where they were cut: no event is missing, none comes twice', async () => {
    const id = await begin();
    const seen: number[] = [];
    let ended = false;
    const deleted = untilPhase(controller.api, id, 'ready').then(() => remove(id));
    while (!ended) {
      const stream = await openStream(controller.api, path(id), seen.at(-1));
      // Two events of each connection at most, as if the network were bad.
      const events = await stream.take(2);
      seen.push(...events.map(({ id: number }) => Number(number)));
      ended = events.at(-1)?.event === 'deleted';
    }
    expect(seen).toEqual(seen.map((_, index) => index + 1));
    expect((await deleted).status).toBe(204);
    expect(
      (await controller.api.open(path(id), { accept: 'text/event-stream', 'last-event-id': String(seen.at(-1)) }))
        .status,
    ).toBe(204);
  });

  it('are whole while no announcement can be heard', async () => {
    const id = await begin();
    const stream = await openStream(controller.api, path(id));
    let isOver = false;
    const deaf = (async () => {
      while (!isOver) {
        await installation.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'changes'`,
        );
      }
    })();
    await untilPhase(controller.api, id, 'ready');
    await remove(id);
    const events = await stream.take();
    isOver = true;
    await deaf;
    expect(events.map((event) => Number(event.id))).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)?.event).toBe('deleted');
    await controller.untilLogged('changes are not announced at present');
  });

  it('keep their connection alive while nothing happens, and cost nothing once their readers are gone', async () => {
    const id = await begin();
    await untilPhase(controller.api, id, 'ready');
    const before = await resources(controller);
    const streams = await Promise.all(Array.from({ length: 40 }, () => openStream(controller.api, path(id))));
    const comments = await Promise.all(streams.map((stream) => stream.comment()));
    expect(comments.every((comment) => comment.startsWith(':'))).toBe(true);
    const during = await resources(controller);
    expect(during.timers).toBeGreaterThanOrEqual(before.timers + 40);
    await Promise.all(streams.map((stream) => stream.abort()));
    const after = await until(
      () => resources(controller),
      (now) => now.timers < before.timers + 20 && now.sockets < before.sockets + 20,
    );
    expect(after.timers).toBeLessThan(during.timers);
    await remove(id);
  });

  it('can be followed in a browser as the documentation shows', async () => {
    const text = readFileSync(join(__dirname, '../../../docs/api.md'), 'utf8');
    const code = /```js\n(async function follow[^]*?)```/.exec(text)?.[1] ?? '';
    expect(code).not.toBe('');
    let connections = 0;
    const loss = new AbortController();
    const fetchThere = async (url: string, options: RequestInit) => {
      const signal = connections++ === 0 ? firstAbort(options.signal!, loss.signal) : options.signal!;
      return fetch(`${controller.url}${url}`, { ...options, signal });
    };
    const follow = new Function('fetch', `${code}\nreturn follow;`)(fetchThere) as Follow;
    const id = await begin();
    const events: ProvisioningEventView[] = [];
    const onEvent = (event: ProvisioningEventView) => {
      events.push(event);
      // The first connection is lost with its first event.
      loss.abort();
    };
    const followed = follow(id, installation.apiKey, onEvent, new AbortController().signal);
    await untilPhase(controller.api, id, 'ready');
    await remove(id);
    await followed;
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)?.type).toBe('deleted');
    expect(connections).toBeGreaterThan(1);
    await expect(follow(id, 'wrong', () => undefined, new AbortController().signal)).rejects.toThrow('HTTP 401');
  });
});

/** What the process holds, by its own metrics. */
async function resources(controller: Controller): Promise<{ timers: number; sockets: number }> {
  const text = await (await controller.api.open('/metrics')).text();
  const count = (type: string) =>
    Number(new RegExp(`^nodejs_active_resources\\{type="${type}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return { timers: count('Timeout'), sockets: count('TCPSocketWrap') };
}
