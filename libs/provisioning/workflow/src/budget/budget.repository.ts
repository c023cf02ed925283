import type { ProviderType, RateLimitNews, RateOfMinute, RequestLimits } from '@agent-controller/cloud-port';
import { DataSource } from 'typeorm';

/** Whose budget. */
export interface BudgetKey {
  type: ProviderType;
  /** SHA-256 of the API token, hex. */
  project: string;
}

/** Proof of a reservation. The numbers are bigint of the database, as text. */
export interface Ticket {
  /** Microseconds; unique among those in flight. */
  id: string;
  /** Of all that were let through, which this is. */
  number: string;
  /** How many were in flight when it was let through. */
  others: number;
  /** Whether it is the one that tries an open circuit. */
  isProbe: boolean;
}

/** What one request needs. */
export interface Need {
  /** These shares of the hour's and the minute's limit must be left after it. */
  hourShare: number;
  minuteShare: number;
  listsKeys: boolean;
}

/** What the row says now, all refilled to this moment. */
export interface BudgetState {
  hourLimit: number;
  hourLeft: number;
  minuteLeft: number;
  keyListsLeft: number;
  blockedMs: number;
  toldAt: Date | null;
  openSince: Date | null;
  retryAt: Date | null;
  isOpen: boolean;
  isProbing: boolean;
  retryMs: number;
}

/** How a project stands, for people. */
export interface BudgetStanding
  extends BudgetKey, Pick<BudgetState, 'hourLimit' | 'hourLeft' | 'toldAt' | 'openSince' | 'retryAt'> {}

export interface SettledRequest {
  ticket: Ticket;
  /** `silent`: no answer; `broken`: an error of the provider's own; `answered`: anything else, refusals included. */
  end: 'answered' | 'broken' | 'silent';
  news: RateLimitNews;
  serverId?: string;
  /** A refusal that is about the lists of keys alone. */
  blocksKeyListsOnly: boolean;
}

/** A request ends after 30 s (the adapters' limit): one that is older belongs to a controller that is gone. */
const LOST_AFTER_SECONDS = 35;
/** Requests in a row without a proper answer after which the circuit opens. */
export const FAILURES_TO_OPEN = 5;
/** Doubles from 1 s with each failed probe. */
const LONGEST_PAUSE_SECONDS = 60;
/** Where a provider has no limit of a minute. */
const NO_LIMIT = { atOnce: 1_000_000, refill: 60_000_000 };

// One moment for the whole statement, which is a transaction of its own. Who waited for the row's lock comes with an
// older moment than the row has: that refills nothing.
const NOW_US = `(extract(epoch FROM now()) * 1000000)::bigint`;
const ELAPSED = `GREATEST(0, extract(epoch FROM now() - refilled_at))::double precision`;
const HOUR = `LEAST(hour_limit, hour_left + ${ELAPSED} * hour_limit / 3600)`;
// $3 to $6: the two limits of a minute.
const MINUTE = `LEAST($3::double precision, minute_left + ${ELAPSED} * $4::double precision / 60)`;
const KEY_LISTS = `LEAST($5::double precision, key_lists_left + ${ELAPSED} * $6::double precision / 60)`;
const IN_FLIGHT = `SELECT t FROM unnest(in_flight) AS t WHERE t > ${NOW_US} - ${LOST_AFTER_SECONDS * 1_000_000}`;
const TICKET = `GREATEST(${NOW_US}, COALESCE(in_flight[array_upper(in_flight, 1)], 0) + 1)`;
const ROW = `provider_type = $1 AND project = $2`;

// $12: how it ended; $13: the server that it was about. One sick server must not stand for its provider, so its errors in
// a row count once; and what was let through before the circuit opened says nothing new by failing.
const COUNTS = `$12 <> 'answered' AND CASE WHEN open_since IS NULL
  THEN $12 = 'silent' OR $13::text IS NULL OR failed_server IS DISTINCT FROM $13::text
  ELSE probe = $7::bigint END`;
const FAILURES = `CASE WHEN $12 = 'answered' THEN 0 WHEN ${COUNTS} THEN failures + 1 ELSE failures END`;
const PAUSE = `LEAST(${LONGEST_PAUSE_SECONDS}, 2 ^ LEAST(20, failures + 1 - ${FAILURES_TO_OPEN})) * interval '1 second'`;
const OPENS = `${COUNTS} AND failures + 1 >= ${FAILURES_TO_OPEN}`;
const CIRCUIT = `
         failures = ${FAILURES},
         failed_server = CASE WHEN $12 = 'answered' THEN NULL ELSE $13::text END,
         open_since = CASE WHEN $12 = 'answered' THEN NULL WHEN ${OPENS} THEN COALESCE(open_since, now())
           ELSE open_since END,
         retry_at = CASE WHEN $12 = 'answered' THEN NULL WHEN ${OPENS} THEN now() + ${PAUSE} ELSE retry_at END,
         probe = CASE WHEN $12 = 'answered' OR probe = $7::bigint THEN NULL ELSE probe END`;

/** The table `provider_budgets`: each method is one statement. */
export class BudgetRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** A full budget, unless there is one already. */
  async insert(key: BudgetKey, limits: RequestLimits): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO provider_budgets
         (provider_type, project, hour_limit, hour_left, minute_left, key_lists_left, refilled_at)
       VALUES ($1, $2, $3::integer, $3::integer, $4, $5, now()) ON CONFLICT DO NOTHING`,
      [key.type, key.project, limits.perHour, atOnce(limits.perMinute), atOnce(limits.keyListsPerMinute)],
    );
  }

  /** Reserves one request. @returns null when it may not be sent now, or when there is no row */
  async reserve(
    key: BudgetKey,
    limits: RequestLimits,
    { hourShare, minuteShare, listsKeys }: Need,
  ): Promise<Ticket | null> {
    const [[row]]: [(Omit<Ticket, 'isProbe'> & { probe: string | null })[], number] = await this.dataSource.query(
      `UPDATE provider_budgets SET
         hour_left = ${HOUR} - 1, minute_left = ${MINUTE} - 1, key_lists_left = ${KEY_LISTS} - $8,
         refilled_at = GREATEST(refilled_at, now()),
         admitted = admitted + 1,
         in_flight = ARRAY(${IN_FLIGHT}) || ${TICKET},
         probe = CASE WHEN open_since IS NOT NULL THEN ${TICKET} END,
         retry_at = CASE WHEN open_since IS NOT NULL THEN now() + interval '${LOST_AFTER_SECONDS} seconds' END
       WHERE ${ROW}
         AND ${HOUR} - 1 >= hour_limit * $7::double precision
         AND ${MINUTE} - 1 >= $3 * $9::double precision
         AND ($8 = 0 OR ${KEY_LISTS} >= $8)
         AND (blocked_until IS NULL OR blocked_until <= now())
         AND (open_since IS NULL OR retry_at <= now())
       RETURNING in_flight[array_upper(in_flight, 1)] AS id, admitted AS number,
         array_length(in_flight, 1) - 1 AS others, probe`,
      [key.type, key.project, ...minuteRates(limits), hourShare, listsKeys ? 1 : 0, minuteShare],
    );
    if (!row) return null;
    const { id, number, others, probe } = row;
    return { id, number, others, isProbe: probe !== null };
  }

  /** Servers of the provider that were ordered and are not known to run: whether there are any, and any for so long. */
  async waitingServers(type: ProviderType, longMs: number): Promise<{ any: boolean; long: boolean }> {
    const [found]: { any: boolean; long: boolean }[] = await this.dataSource.query(
      `SELECT min(phase_since) IS NOT NULL AS any,
         coalesce(min(phase_since) <= now() - $2 * interval '1 millisecond', false) AS long
       FROM provisioning_references WHERE phase = 'booting' AND provider_type = $1 AND intent = 'present'`,
      [type, longMs],
    );
    return found ?? { any: false, long: false };
  }

  async state(key: BudgetKey, limits: RequestLimits): Promise<BudgetState | null> {
    const [row]: BudgetState[] = await this.dataSource.query(
      `SELECT hour_limit AS "hourLimit", ${HOUR} AS "hourLeft", ${MINUTE} AS "minuteLeft",
         ${KEY_LISTS} AS "keyListsLeft",
         GREATEST(0, COALESCE(extract(epoch FROM blocked_until - now()), 0) * 1000)::double precision AS "blockedMs",
         told_at AS "toldAt", open_since AS "openSince", retry_at AS "retryAt",
         open_since IS NOT NULL AS "isOpen", probe IS NOT NULL AS "isProbing",
         GREATEST(0, COALESCE(extract(epoch FROM retry_at - now()), 0) * 1000)::double precision AS "retryMs"
       FROM provider_budgets WHERE ${ROW}`,
      [key.type, key.project, ...minuteRates(limits)],
    );
    return row ?? null;
  }

  /** Of several projects at once; those without a row are left out. */
  standings(keys: readonly BudgetKey[]): Promise<BudgetStanding[]> {
    return this.dataSource.query(
      `SELECT provider_type AS type, project, hour_limit AS "hourLimit", ${HOUR} AS "hourLeft", told_at AS "toldAt",
         open_since AS "openSince", retry_at AS "retryAt"
       FROM provider_budgets JOIN unnest($1::text[], $2::text[]) AS wanted (type, hash)
         ON provider_type = wanted.type AND project = wanted.hash`,
      [keys.map(({ type }) => type), keys.map(({ project }) => project)],
    );
  }

  /**
   * Takes in how a request ended. What an answer says is left may not count yet the others that were in flight with it,
   * whether they were let through before or after it: all of them are taken off.
   * @returns whether the circuit opened by this
   */
  async settle(key: BudgetKey, limits: RequestLimits, settled: SettledRequest): Promise<boolean> {
    const { ticket, end, news, serverId, blocksKeyListsOnly } = settled;
    const [[row]]: [{ opened: boolean }[], number] = await this.dataSource.query(
      `UPDATE provider_budgets SET
         hour_limit = COALESCE($9::integer, hour_limit),
         hour_left = COALESCE(
           LEAST($10::integer, COALESCE($9::integer, hour_limit)) - (admitted - $8::bigint)
             - $15::integer,
           ${HOUR}),
         told_at = CASE WHEN $10::integer IS NULL THEN told_at ELSE now() END,
         minute_left = ${MINUTE},
         key_lists_left = CASE WHEN $14 THEN 1 - $11::double precision / 60000 * $6 ELSE ${KEY_LISTS} END,
         refilled_at = GREATEST(refilled_at, now()),
         in_flight = array_remove(in_flight, $7::bigint),
         blocked_until = CASE WHEN $14 THEN blocked_until
           ELSE GREATEST(blocked_until, now() + $11::double precision * interval '1 millisecond') END,
         ${CIRCUIT}
       WHERE ${ROW}
       RETURNING open_since IS NOT DISTINCT FROM now() AS opened`,
      [
        ...[key.type, key.project, ...minuteRates(limits), ticket.id, ticket.number],
        ...[news.limit ?? null, news.remaining ?? null, news.retryAfterMs ?? null, end, serverId ?? null],
        blocksKeyListsOnly && news.retryAfterMs !== undefined,
        ticket.others,
      ],
    );
    return row?.opened ?? false;
  }
}

function atOnce(rate: RateOfMinute = NO_LIMIT): number {
  return rate.atOnce;
}

function minuteRates({ perMinute = NO_LIMIT, keyListsPerMinute = NO_LIMIT }: RequestLimits): number[] {
  return [perMinute.atOnce, perMinute.refill, keyListsPerMinute.atOnce, keyListsPerMinute.refill];
}
