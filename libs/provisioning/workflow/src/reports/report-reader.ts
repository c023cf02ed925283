import { Injectable } from '@nestjs/common';
import { AgentHealth } from '../agent/agent-health';
import { agentTarget } from '../agent/agent-target';
import type { StepContext } from '../steps/step';
import { ReportRedactor } from './report-redactor';
import { isNewer, type ServerReport } from './server-report';

export interface ReportReading {
  /** Null when the proxy answers. For people. */
  silence: string | null;
  /** The newest that is known, whoever brought it: the server by itself, or this look. */
  report: ServerReport | null;
  /** The same, when this look brought it. */
  news?: ServerReport;
}

/** Asks a server for its status document. */
@Injectable()
export class ReportReader {
  constructor(
    private readonly health: AgentHealth,
    private readonly redactor: ReportRedactor,
  ) {}

  /** @throws Error while the client has no endpoint */
  async read({ client, reference, signal }: StepContext): Promise<ReportReading> {
    const target = agentTarget(client);
    if (!target) throw new Error('The client has no endpoint yet');
    const answer = await this.health.look(target, signal);
    if (answer.state === 'silent') return { silence: answer.reason, report: reference.report };
    if (!answer.report || !isNewer(answer.report, reference.report)) return { silence: null, report: reference.report };
    const news = await this.redactor.clean(answer.report, reference);
    return { silence: null, report: news, news };
  }
}
