import { CloudError } from '../cloud-error';

/** The CloudError that a call ends with. Anything else, also success, fails the test. */
export async function rejection(call: Promise<unknown>): Promise<CloudError> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) throw new Error(`Expected a CloudError, got ${JSON.stringify(outcome.value)}`);
  if (!(outcome.error instanceof CloudError)) {
    const { name, message } = outcome.error as Error;
    throw new Error(`Expected a CloudError, got ${name}: ${message}`);
  }
  return outcome.error;
}
