/** How long a job may go on after the controller was asked to stop. */
export const HAND_BACK_AFTER_MS = 4_000;

/** The controller stops and waits no longer for this job: it is run again, by whichever controller. */
export class HandedBack extends Error {
  override readonly name = 'HandedBack';

  constructor() {
    super('The controller stops; the job is handed back');
  }
}

/** Waits for `work`, but not for long once `stop` aborts. What it still does then must be harmless. @throws HandedBack */
export async function orHandBack<T>(work: Promise<T>, stop: AbortSignal, afterMs = HAND_BACK_AFTER_MS): Promise<T> {
  // Nobody listens to what was given up.
  work.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  let onStop = () => {};
  const givenUp = new Promise<never>((_resolve, reject) => {
    onStop = () => (timer = setTimeout(() => reject(new HandedBack()), afterMs));
  });
  if (stop.aborted) onStop();
  else stop.addEventListener('abort', onStop, { once: true });
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', onStop);
  }
}
