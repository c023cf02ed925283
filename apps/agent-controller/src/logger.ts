import { traceFields, type Logger } from '@agent-controller/kernel';
import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';

const MAX_DEPTH = 5;
const STDOUT = 1;
const WRITE_AFTER_MS = 20;
const WRITE_AT_LENGTH = 32_768;
/** Characters kept while the output cannot be written, such as on a full disk; what comes then is lost. */
const MOST_UNWRITTEN = 4_194_304;
/** Pino's number of `warn`. */
const WARN = 40;

/**
 * Errors are logged by type, message and stack alone, wherever they stand: further members (a request's configuration,
 * query parameters) may hold secrets.
 */
function plainError(error: unknown) {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, stack } = error;
  const { code } = error as { code?: unknown };
  return { type: name, message, stack, ...(typeof code === 'string' ? { code } : {}) };
}

function plainFields(fields: object, depth = 0): Record<string, unknown> {
  if (isFlat(fields)) return fields as Record<string, unknown>;
  const plain = ([name, value]: [string, unknown]) => [
    name,
    name === 'err' && depth === 0 ? plainError(value) : plainValue(value, depth + 1),
  ];
  return Object.fromEntries(Object.entries(fields).map(plain));
}

/** Nothing but texts and numbers, as the line of each request: there is nothing to make plain. */
function isFlat(fields: object): boolean {
  if ('err' in fields) return false;
  for (const value of Object.values(fields)) if (typeof value === 'object' || typeof value === 'function') return false;
  return true;
}

/** Other objects, such as `Secret`, say themselves how they print. */
function plainValue(value: unknown, depth: number): unknown {
  if (value instanceof Error) return plainError(value);
  const isList = Array.isArray(value);
  if (!isList && !isPlainObject(value)) return value;
  if (depth > MAX_DEPTH) return '[deep]';
  return isList ? value.map((each) => plainValue(each, depth + 1)) : plainFields(value, depth);
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/**
 * Lines of a moment are written together: one for each request would cost as much as the rest of a quick one, and even to
 * hand each to the output costs more than to make it. Warnings and errors are written at once, so that no kill loses them.
 * An output that fails, such as a pipe whose reader has ended, stops the log and nothing else.
 * @param file its descriptor
 */
export function collectedOutput(file = STDOUT): DestinationStream {
  // Sonic Boom's `flushSync`, which the asynchronous one needs, repeats a broken pipe's error for ever.
  const output = pino.destination({ dest: file, sync: true, maxLength: MOST_UNWRITTEN }).on('error', () => undefined);
  let lines = '';
  let timer: NodeJS.Timeout | null = null;
  const write = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (lines) output.write(lines);
    lines = '';
  };
  process.once('exit', write);
  const destination = {
    // Pino then says of what level a line is.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    write: (line: string) => {
      lines += line;
      if (destination.lastLevel >= WARN || lines.length >= WRITE_AT_LENGTH) write();
      else timer ??= setTimeout(write, WRITE_AFTER_MS);
    },
  };
  return destination;
}

/**
 * @param destination stdout when absent
 * @param isTraced lines name the trace that they belong to
 */
export function createLogger(level: string, destination?: DestinationStream, isTraced = false): PinoLogger & Logger {
  const options = {
    level,
    base: undefined,
    formatters: { log: (fields: object) => plainFields(fields) },
    // Pino's own would take what is plain already for an error again.
    serializers: { err: (plain: unknown) => plain },
    ...(isTraced ? { mixin: () => traceFields() } : {}),
  };
  return pino(options, destination ?? collectedOutput());
}

/** Nest's own messages in our log. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, context?: string): void {
    this.logger.debug({ context }, String(message));
  }

  warn(message: unknown, context?: string): void {
    this.logger.warn({ context }, String(message));
  }

  error(message: unknown, stack?: string, context?: string): void {
    this.logger.error({ stack, context }, String(message));
  }
}
