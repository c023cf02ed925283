import { AppError } from '@agent-controller/kernel';
import type {
  ProvisioningService,
  ProvisioningWatchService,
  StartedProvisioning,
} from '@agent-controller/provisioning-workflow';
import type { Reply, Request } from './http.types';
import { ShutdownSignal } from './shutdown.signal';
import { WaitingAnswers } from './waiting-answers.service';

describe('WaitingAnswers', () => {
  let status: number | undefined;

  function deleted(isBuried: boolean) {
    const provisioning = {
      find: () => Promise.reject(new AppError('client-not-found', 'There is no client.')),
      isBuried: async () => isBuried,
    } as unknown as ProvisioningService;
    const answers = new WaitingAnswers(provisioning, {} as ProvisioningWatchService, new ShutdownSignal());
    const reply = { status: (code: number) => (status = code) } as unknown as Reply;
    const request = { caller: { subject: 'someone' } } as unknown as Request;
    return answers.deleted('client-1', 'deleting', { waitSeconds: null, request, reply });
  }

  it('answers 204 when all went away while the answer was made', async () => {
    expect(await deleted(true)).toBeUndefined();
    expect(status).toBe(204);
  });

  it('does not take what never was for gone', async () => {
    await expect(deleted(false)).rejects.toMatchObject({ code: 'client-not-found' });
  });

  /** An order that waits, and whose client is deleted meanwhile. */
  function provisioned(headers: Record<string, string>) {
    const provisioning = {
      find: () => Promise.reject(new AppError('client-not-found', 'There is no client.')),
      isBuried: async () => true,
    } as unknown as ProvisioningService;
    const watch = { waitUntilSettled: async () => undefined } as unknown as ProvisioningWatchService;
    const reply = { header: () => reply, raw: { once: () => undefined } } as unknown as Reply;
    const request = { caller: { subject: 'someone' }, headers } as unknown as Request;
    const started = { client: { id: 'client-1' }, apiKey: 'the-key' } as unknown as StartedProvisioning;
    const answers = new WaitingAnswers(provisioning, watch, new ShutdownSignal());
    return answers.provisioned(started, { waitSeconds: 1, request, reply });
  }

  it('tells who waits with an idempotency key that all was deleted meanwhile', async () => {
    await expect(provisioned({ 'idempotency-key': 'a' })).rejects.toMatchObject({ code: 'idempotency-key-gone' });
    await expect(provisioned({})).rejects.toMatchObject({ code: 'client-not-found' });
  });

  it('answers an accepted order as it began, with its key, when trouble ends the waiting', async () => {
    const trouble = () => Promise.reject(new Error('Connection terminated unexpectedly'));
    const answers = new WaitingAnswers(
      {} as ProvisioningService,
      { waitUntilSettled: trouble } as unknown as ProvisioningWatchService,
      new ShutdownSignal(),
    );
    const reply = { header: () => reply, raw: { once: () => undefined } } as unknown as Reply;
    const request = { caller: { subject: 'someone' }, headers: {} } as unknown as Request;
    const client = { id: 'client-1', createdAt: new Date(), updatedAt: new Date() };
    const reference = { phase: 'creating-server', configuration: {}, warnings: [], phaseTimes: {} };
    const started = { client, reference, apiKey: 'the-key' } as unknown as StartedProvisioning;
    const answer = await answers.provisioned(started, { waitSeconds: 1, request, reply });
    expect(answer).toMatchObject({ id: 'client-1', apiKey: 'the-key', provisioning: { phase: 'creating-server' } });
  });
});
