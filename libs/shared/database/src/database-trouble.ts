/**
 * SQLSTATE classes and codes that say nothing of the statement: it may be sent again later.
 * 08: connection; 53: resources, such as too many connections; 57P: shut down, cannot connect now; 25006: a standby
 * that was the primary; 40001 and 40P01: conflicts with other transactions; 55P03 and 57014: given up while it waited.
 */
const PASSING_STATES = /^(08...|53...|57P..|25006|40001|40P01|55P03|57014)$/;
const NETWORK_CODES =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|EPIPE|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN)$/;
/** What `pg`, its pool and TypeORM say of a lost connection, without any code. */
const MESSAGES = [
  /^connection terminated/i,
  /^timeout (expired|exceeded when trying to connect)/,
  /is not queryable$/,
  /^Query read timeout/,
  /^Cannot use a pool after calling end/,
  /^Query runner already released/,
  /^Driver not Connected/,
  /^The server does not support SSL|^There was an error establishing an SSL connection/,
];

/** Of causes within causes. */
const DEEPEST = 4;

/** Whether an error tells that the database is away, full or changing over: asked again later, it may answer. */
export function isDatabaseAway(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > DEEPEST) return false;
  const { code, message, cause, driverError, errors } = error as Record<string, unknown>;
  if (typeof code === 'string' && (PASSING_STATES.test(code) || NETWORK_CODES.test(code))) return true;
  if (typeof message === 'string' && MESSAGES.some((pattern) => pattern.test(message))) return true;
  // A host with several addresses fails with one error for all.
  const inner = [driverError, cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])];
  return inner.some((one) => isDatabaseAway(one, depth + 1));
}
