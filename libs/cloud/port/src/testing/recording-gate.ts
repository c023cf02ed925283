import { CloudError } from '../cloud-error';
import type { AdmittedRequest, GatedRequest, RequestGate, RequestOutcome } from '../request-gate';

/** Notes what it was asked and told, and refuses when a test says so. */
export class RecordingGate implements RequestGate {
  /** Purpose and what else decides, with the status that came of it: `look 200`, `create keys -`, … */
  readonly seen: string[] = [];
  readonly outcomes: RequestOutcome[] = [];
  isShut = false;

  async admit({ purpose, listsKeys, serverId }: GatedRequest): Promise<AdmittedRequest> {
    if (this.isShut) throw new CloudError('rate-limited', 'the gate is shut', { retryAfterMs: 7_000 });
    const index = this.seen.push('not settled') - 1;
    return {
      settle: async (outcome) => {
        this.outcomes.push(outcome);
        const about = [...(listsKeys ? ['keys'] : []), ...(serverId ? [`server ${serverId}`] : [])];
        this.seen[index] = [purpose, ...about, outcome.status ?? '-'].join(' ');
      },
    };
  }
}
