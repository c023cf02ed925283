import type { Problem, ProvisioningEventView, ProvisioningPreviewView } from '@agent-controller/contracts';
import { Installation, type Controller } from './support/controller-process';
import { info, provision, provisionBody, untilPhase } from './support/provision';

const WAIT = { prefer: 'wait=120' };

const FULL = {
  hetzner: {
    ...{ method: 'POST', path: '^/servers$', status: 412 },
    body: { error: { code: 'resource_unavailable', message: 'error during placement', details: null } },
  },
  'digital-ocean': {
    ...{ method: 'POST', path: '^/droplets$', status: 422 },
    body: { id: 'unprocessable_entity', message: 'Region is not available', request_id: 'r' },
  },
} as const;

type Place = { serverType: string; location: string };
type Order = Place & { providerType: keyof typeof FULL; fallback: [Place, Place] };

const ORDERS: [Order, Order] = [
  {
    providerType: 'hetzner',
    ...{ serverType: 'cx33', location: 'nbg1' },
    fallback: [
      { serverType: 'cx33', location: 'hel1' },
      { serverType: 'cx43', location: 'fsn1' },
    ],
  },
  {
    providerType: 'digital-ocean',
    ...{ serverType: 's-2vcpu-4gb', location: 'fra1' },
    fallback: [
      { serverType: 's-2vcpu-4gb', location: 'ams3' },
      { serverType: 's-1vcpu-2gb', location: 'fra1' },
    ],
  },
];

describe('fallback: where there is no room, the next choice is ordered', () => {
  let installation: Installation;
  let controller: Controller;

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController();
  });
  afterEach(() => installation.emulator.clearFaults());
  afterAll(() => installation.dispose());

  const remove = async (id: string) => {
    expect((await controller.api.delete(`/api/clients/${id}/provisioning`, WAIT)).status).toBe(204);
    expect(await installation.emulator.serverNames()).toEqual([]);
  };

  it.each(ORDERS)('at $providerType, in their order and in one attempt, each with its price', async (order) => {
    const preview = await controller.api.post<ProvisioningPreviewView>(
      '/api/clients/provisioning/preview',
      provisionBody(order),
    );
    expect(preview.body).toMatchObject({ problems: [], fallback: order.fallback });
    await installation.emulator.addFault({ ...FULL[order.providerType], times: 2 });
    const { status, body } = await provision(controller.api, order, WAIT);
    expect(status).toBe(201);
    const seen = await info(controller.api, body.id);
    const [, taken] = preview.body.fallback;
    expect(seen).toMatchObject({ ...taken, attempt: 1, lastError: null });
    expect(seen.configuration.fallback).toEqual(preview.body.fallback);
    expect(seen.configuration.firstChoice).toEqual({
      ...{ serverType: order.serverType, location: order.location },
      ...{ monthlyCost: preview.body.monthlyCost, currency: preview.body.currency },
    });
    const [server, ...more] = await installation.emulator.servers();
    expect([server?.cost.monthly, more]).toEqual([taken?.monthlyCost, []]);
    const { body: events } = await controller.api.get<ProvisioningEventView[]>(
      `/api/clients/${body.id}/provisioning/events`,
    );
    const [one, two] = order.fallback;
    expect(events.map(({ message }) => message).filter((message) => message.startsWith('No room'))).toEqual([
      `No room for ${order.serverType} at ${order.location}; trying ${one.serverType} at ${one.location}`,
      `No room for ${one.serverType} at ${one.location}; trying ${two.serverType} at ${two.location}`,
    ]);
    await remove(body.id);
  });

  it.each(ORDERS)(
    'at $providerType, and fails when there is none left; a retry begins with the first',
    async (order) => {
      await installation.emulator.addFault({ ...FULL[order.providerType], times: 3 });
      const { body } = await provision(controller.api, order);
      const failed = await untilPhase(controller.api, body.id, 'failed');
      expect(failed.lastError).toMatchObject({ code: 'provider-capacity', phase: 'creating-server' });
      expect(failed.lastError?.message).toContain(`Tried: ${order.serverType} at ${order.location}, `);
      expect(failed.lastError?.action).toMatch(/Listed as available besides: \S+ \(\S+/);
      expect(await installation.emulator.serverNames()).toEqual([]);
      expect((await controller.api.post(`/api/clients/${body.id}/provisioning/retry`)).status).toBe(202);
      const { serverType, location } = order;
      expect(await untilPhase(controller.api, body.id, 'ready')).toMatchObject({
        ...{ phase: 'ready', attempt: 2, serverType, location },
      });
      await remove(body.id);
    },
  );

  it('is refused with the entry and the field that are wrong', async () => {
    const [order] = ORDERS;
    const [first] = order.fallback;
    const refusal = async (fallback: unknown) => {
      const { status, body } = await provision(controller.api, { ...order, fallback });
      const { code, errors } = body as unknown as Problem;
      return [status, code, errors?.[0]?.field];
    };
    expect(await refusal([first, { serverType: 'cx11', location: 'hel1' }])).toEqual([
      ...[422, 'server-type-unknown', 'fallback[1].serverType'],
    ]);
    expect(await refusal([{ serverType: 'cx33', location: 'mars' }])).toEqual([
      ...[422, 'location-unknown', 'fallback[0].location'],
    ]);
    expect(await refusal([first, { serverType: 'cx33' }])).toEqual([400, 'validation-failed', 'fallback[1].location']);
    expect(await refusal([first, first])).toEqual([400, 'validation-failed', 'fallback']);
    expect(await installation.query('SELECT 1 FROM clients')).toEqual([]);
  });
});
