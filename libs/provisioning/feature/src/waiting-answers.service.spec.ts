import { AppError } from '@agent-controller/kernel';
import type { ProvisioningService, ProvisioningWatchService } from '@agent-controller/provisioning-workflow';
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
});
