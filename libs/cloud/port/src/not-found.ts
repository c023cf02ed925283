import { CloudError } from './cloud-error';

/** Null instead of the error that says `not-found`. */
export async function unlessGone<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CloudError && error.kind === 'not-found') return null;
    throw error;
  }
}
