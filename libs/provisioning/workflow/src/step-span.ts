import { inSpan, type Span } from '@agent-controller/kernel';
import type { StepRow } from './step-changes';

/** What is done for a row in its phase, as a part of the trace of the call that wanted it. */
export function inStepSpan<T>(
  { id, phase, attempt, clientId, traceParent: parent, providerType }: StepRow,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  const attributes = { 'provisioning.id': id, 'client.id': clientId, 'provisioning.attempt': attempt };
  return inSpan(`step ${phase}`, { parent, attributes: { ...attributes, 'provider.type': providerType } }, work);
}
