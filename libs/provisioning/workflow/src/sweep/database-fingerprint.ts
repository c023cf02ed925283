import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

const QUERIES = {
  // Made by initdb; a physical copy or a restored backup of the whole server has the same.
  system: `SELECT system_identifier::text AS value FROM pg_control_system()`,
  // Counts up when a standby is promoted, or the server was set back to an earlier point in time.
  timeline: `SELECT timeline_id::text AS value FROM pg_control_checkpoint()`,
  // Another one after a dump was restored into a new database.
  database: `SELECT oid::text AS value FROM pg_database WHERE datname = current_database()`,
};

/** In which PostgreSQL, and in which history of it, the rows are. What may not be asked is left open. */
@Injectable()
export class DatabaseFingerprint {
  constructor(private readonly dataSource: DataSource) {}

  async read(): Promise<string> {
    const parts: string[] = [];
    for (const [name, query] of Object.entries(QUERIES)) {
      const rows: { value: string }[] = await this.dataSource.query(query).catch(refused);
      if (rows[0]) parts.push(`${name}=${rows[0].value}`);
    }
    return parts.join(' ');
  }
}

/** @returns the parts that are known of both and differ */
export function fingerprintChanges(before: string, now: string): string[] {
  const known = parse(before);
  return [...parse(now)].filter(([name, value]) => known.has(name) && known.get(name) !== value).map(([name]) => name);
}

function parse(fingerprint: string): Map<string, string> {
  return new Map(fingerprint.split(' ').map((part) => part.split('=') as [string, string]));
}

/** Managed databases may not show these: `insufficient_privilege`, `undefined_function`. */
function refused(error: unknown): [] {
  const { code } = error as { code?: string };
  if (code === '42501' || code === '42883') return [];
  throw error;
}
