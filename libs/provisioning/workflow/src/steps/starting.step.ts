import { ClientRepository } from '@agent-controller/clients';
import { Injectable } from '@nestjs/common';
import { AgentHealth, type AgentCheck } from '../agent/agent-health';
import { agentTarget } from '../agent/agent-target';
import { installationFailure, mayAnswer, reportSummary } from '../reports/report-news';
import { ReportReader } from '../reports/report-reader';
import type { ServerReport } from '../reports/server-report';
import { ready } from './ready.result';
import { fail, wait, type StepContext, type StepResult } from './step';

// The watch wakes this step when the server has something new to say; this is only in case it does not.
const FALLBACK_MS = 25_000;

/** Waits until the agent-manager is up, refuses strangers and accepts our credentials. */
@Injectable()
export class StartingStep {
  constructor(
    private readonly health: AgentHealth,
    private readonly clients: ClientRepository,
    private readonly reports: ReportReader,
  ) {}

  async run(context: StepContext): Promise<StepResult> {
    const { silence, report, news } = await this.reports.read(context);
    const check = silence === null && mayAnswer(report) ? await this.check(context) : null;
    if (check?.state === 'ready') return ready(check, news);
    const failure = installationFailure(report);
    if (failure) return fail(failure, { report: news });
    const lastSeen = seenOf(report, check ? check.reason : silence);
    return wait(FALLBACK_MS, { patch: { lastSeen }, report: news });
  }

  private check({ client, signal }: StepContext): Promise<AgentCheck> {
    const target = agentTarget(client);
    const credentials = this.clients.openCredentials(client);
    if (!target || !credentials) throw new Error('The client has no endpoint or no credentials');
    return this.health.check(target, credentials, signal);
  }
}

/** What was last heard of an agent-manager that is not up. @param reason why it is not */
export function seenOf(report: ServerReport | null, reason: string | null): string {
  const said = report ? `The server says: ${reportSummary(report)}` : null;
  return [said, reason].filter((text) => text !== null).join('. ');
}
