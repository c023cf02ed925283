import { Client } from '@agent-controller/clients';
import { columnsOf, entityOf, insertOf, quickQuery } from '@agent-controller/database';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CHANGE_CHANNEL } from './event-rows';
import { jobSql, stepJob } from './jobs/job-queue';
import { PHASE_DISPLAY } from './phases';
import type { NewProvisioning } from './provisioning-factory.service';
import { ProvisioningEvent } from './provisioning-event.entity';
import { ProvisioningReference } from './provisioning-reference.entity';

/** Saves what a request led to: client, reference, first event and first job, by one statement. */
@Injectable()
export class AcceptingRepository {
  #returned?: [string, string];

  constructor(private readonly dataSource: DataSource) {}

  /**
   * @param manager a transaction that it belongs to; absent: it is one by itself
   * @returns the rows as they are saved
   */
  async save({ client, reference }: NewProvisioning, manager?: EntityManager): Promise<NewProvisioning> {
    const { text, values } = this.statement(client, { ...reference, lastEventSeq: 1 });
    const rows = manager
      ? ((await manager.query(text, values)) as Record<string, unknown>[])
      : await quickQuery<Record<string, unknown>>(this.dataSource, text, values);
    const row = rows[0] ?? {};
    return {
      client: entityOf(Client, row, 'client.'),
      reference: entityOf(ProvisioningReference, row, 'reference.'),
    };
  }

  private statement(client: Client, reference: ProvisioningReference): { text: string; values: unknown[] } {
    const [clientColumns, referenceColumns] = (this.#returned ??= [
      columnsOf(this.dataSource, Client, 'clients', { prefix: 'client.' }),
      columnsOf(this.dataSource, ProvisioningReference, 'provisioning_references', { prefix: 'reference.' }),
    ]);
    const own = [CHANGE_CHANNEL, client.id];
    const clients = insertOf(this.dataSource, Client, client, own.length + 1);
    const references = insertOf(
      this.dataSource,
      ProvisioningReference,
      reference,
      own.length + clients.values.length + 1,
    );
    const before = own.length + clients.values.length + references.values.length;
    const events = insertOf(this.dataSource, ProvisioningEvent, firstEvent(reference), before + 1);
    const job = jobSql(stepJob(reference.id, 0), before + events.values.length + 1);
    // The foreign key is looked at when the statement ends: both rows are there then.
    const text = `WITH client AS (${clients.text} RETURNING ${clientColumns}),
      reference AS (${references.text} RETURNING ${referenceColumns}),
      event AS (${events.text})
      SELECT client.*, reference.*, ${job.text} AS job, pg_notify($1, $2::text) AS told
      FROM client, reference`;
    return { text, values: [...own, ...clients.values, ...references.values, ...events.values, ...job.values] };
  }
}

function firstEvent({ id, clientId, phase, phaseSince, attempt }: ProvisioningReference): ProvisioningEvent {
  const { message, progress } = PHASE_DISPLAY[phase];
  return Object.assign(new ProvisioningEvent(), {
    ...{ provisioningId: id, seq: 1, clientId, at: phaseSince, type: 'phase' as const, phase, attempt, message },
    ...{ data: { progress }, expiresAt: null },
  });
}
