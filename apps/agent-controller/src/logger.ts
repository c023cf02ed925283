import type { Logger } from '@agent-controller/kernel';
import type { LoggerService } from '@nestjs/common';
import { pino, stdSerializers, type Logger as PinoLogger } from 'pino';

/**
 * Errors are logged by type, message and stack alone: further members (a request's configuration, query parameters)
 * may hold secrets.
 */
function plainError(error: unknown) {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, stack } = error;
  const { code } = error as { code?: unknown };
  return { type: name, message, stack, ...(typeof code === 'string' ? { code } : {}) };
}

export function createLogger(level: string): PinoLogger & Logger {
  return pino({ level, base: undefined, serializers: { ...stdSerializers, err: plainError } });
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
