import type { AuditEntryView, Problem } from '@agent-controller/contracts';
import { randomUUID } from 'node:crypto';
import { Api, type Answer } from './support/api';
import { newKey } from './support/api-keys';
import { Installation, type Controller } from './support/controller-process';
import { provision, provisionBody } from './support/provision';
import { until } from './support/until';

const PROVISION = '/api/clients/provisioning/provision';

describe('the audit trail', () => {
  const [alice, viewer] = [newKey('alice', 'operator'), newKey('alice', 'viewer')];
  let installation: Installation;
  let controller: Controller;
  let api: Api;

  beforeAll(async () => {
    installation = await Installation.create();
    controller = await installation.startController({
      ...{ API_KEYS: [alice.entry, viewer.entry].join(), MAX_SERVERS: '1', TRUST_PROXY: '127.0.0.0/8' },
    });
    api = new Api(controller.url, alice.key);
  });
  afterAll(() => installation.dispose());

  const audit = async (query = '') => (await controller.api.get<AuditEntryView[]>(`/api/audit${query}`)).body;

  it('says who did what to which client, from where and with which outcome, after the client is gone too', async () => {
    const since = new Date().toISOString();
    const from = { 'x-forwarded-for': '203.0.113.7' };
    const ready = await provision(api, { name: 'web', gitToken: 'Sup3rS3cret-git' }, { prefer: 'wait=120', ...from });
    const { id } = ready.body;
    const taken = await api.post<Problem>(PROVISION, provisionBody({ name: 'web' }));
    const tooMany = await api.post<Problem>(PROVISION, provisionBody({ name: 'more' }));
    const wrong = await api.post<Problem>(PROVISION, { gitToken: 'Sup3rS3cret-other' });
    const unknown = await api.post<Problem>(PROVISION, provisionBody({ serverType: 'none' }));
    const refused = await new Api(controller.url, viewer.key).delete<Problem>(`/api/clients/${id}/provisioning`);
    // The same path to the router, though not to who reads it as text.
    const disguised = `%${id.charCodeAt(0).toString(16)}${id.slice(1)}`;
    const conflict = await api.post<Problem>(`/api/%63lients/${disguised}/provisioning/retry`);
    const renamed = await api.patch(`/api/clients/${id}`, { name: 'renamed' });
    const byAdmin = await controller.api.delete(`/api/clients/${id}/provisioning`, { prefer: 'wait=120' });
    const nothing = await api.delete<Problem>(`/api/clients/${randomUUID()}`);
    const statuses = [ready, taken, tooMany, wrong, unknown, refused, conflict, renamed, byAdmin, nothing].map(
      ({ status }) => status,
    );
    expect(statuses).toEqual([201, 409, 403, 400, 422, 403, 409, 200, 204, 404]);
    // What only reads leaves no trace, nor does a preview.
    await api.get(`/api/clients/${id}`);
    await api.post('/api/clients/provisioning/preview', provisionBody());

    const entries = (await audit(`?since=${since}`)).reverse();
    const actor = { subject: 'api-key:alice', role: 'operator', address: '127.0.0.1', count: 1 };
    const order = { ...actor, action: `POST ${PROVISION}`, clientId: null, clientName: null };
    const ofClient = { ...actor, clientId: id, clientName: 'web' };
    const deletion = 'DELETE /api/clients/:id/provisioning';
    expect(entries).toMatchObject([
      { ...order, ...ofClient, address: '203.0.113.7', status: 201, code: null },
      { ...order, status: 409, code: 'name-taken' },
      { ...order, status: 403, code: 'quota-exceeded' },
      { ...order, status: 400, code: 'validation-failed' },
      { ...order, status: 422, code: 'server-type-unknown' },
      { ...ofClient, role: 'viewer', action: deletion, status: 403, code: 'forbidden' },
      { ...ofClient, action: 'POST /api/clients/:id/provisioning/retry', status: 409, code: 'not-retryable' },
      { ...ofClient, action: 'PATCH /api/clients/:id', clientName: 'renamed', status: 200, code: null },
      {
        ...ofClient,
        ...{
          subject: 'static-api-key',
          role: 'admin',
          action: deletion,
          clientName: 'renamed',
          status: 204,
          code: null,
        },
      },
      { ...actor, action: 'DELETE /api/clients/:id', status: 404, code: 'client-not-found', clientName: null },
    ]);
    expect(entries[1]?.requestId).toBe(taken.body.requestId);
    // When it was asked, not when it was answered.
    expect(Date.parse(entries[0]?.at ?? '')).toBeLessThan(Date.parse(entries[1]?.at ?? ''));
    expect(JSON.stringify(entries)).not.toMatch(/Sup3rS3cret/);
    expect(await audit(`?clientId=${id}`)).toHaveLength(5);
    expect(await audit('?subject=static-api-key')).toHaveLength(1);
    expect(await audit('?subject=nobody')).toEqual([]);
  });

  it('sums up failed authentications, and writes the rest at the end', async () => {
    const fail = () => new Api(controller.url, 'wrong').get('/api/clients', { 'x-forwarded-for': '203.0.113.99' });
    for (let index = 0; index < 20; index++) expect((await fail()).status).toBe(401);
    const ofFailures = async () =>
      (await audit()).filter(({ address }) => address === '203.0.113.99').map(({ count }) => count);
    expect(await until(ofFailures, (counts) => counts.length > 0)).toEqual([1]);
    const other = await installation.startController({ TRUST_PROXY: '127.0.0.0/8' });
    await controller.stop();
    controller = other;
    expect(await ofFailures()).toEqual([19, 1]);
    expect((await audit('?limit=1'))[0]).toMatchObject({
      ...{ action: 'authentication', subject: null, role: null, status: 401, code: 'unauthorized' },
    });
  });

  it('is read in pages', async () => {
    const all = await audit();
    const seen: AuditEntryView[] = [];
    let path: string | undefined = '/api/audit?limit=3&since=2020-01-01T00:00:00Z';
    while (path) {
      const answer: Answer<AuditEntryView[]> = await controller.api.get<AuditEntryView[]>(path);
      seen.push(...answer.body);
      path = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual(all);
    expect(all.length).toBeGreaterThan(10);
  });

  it.each(['clientId=x', 'since=yesterday', 'limit=0', 'limit=501', 'cursor=x', 'cursor=-1', 'order=asc', 'subject='])(
    'refuses ?%s',
    async (query) => {
      const { status, body } = await controller.api.get<Problem>(`/api/audit?${query}`);
      expect({ status, code: body.code }).toEqual({ status: 400, code: 'validation-failed' });
      expect(body.errors?.[0]?.field).toBe(query.split('=')[0]);
    },
  );
});
