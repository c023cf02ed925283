import type { Clock } from '@agent-controller/kernel';
import { CallbackService } from '../reports/callback.service';
import { ReportCollector } from '../reports/report-collector';
import { ReportRedactor } from '../reports/report-redactor';
import type { WorkflowDatabase } from './workflow-database';

/** What takes servers' reports, as the module puts it together. */
export function callbackService(database: WorkflowDatabase, clock: Clock): CallbackService {
  const { dataSource, provisionings, clients, events, logger } = database;
  const collector = new ReportCollector(dataSource, clock, logger);
  return new CallbackService(provisionings, collector, new ReportRedactor(provisionings, clients), events, clock);
}
