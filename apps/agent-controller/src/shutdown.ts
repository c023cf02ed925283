import type { Logger } from '@agent-controller/kernel';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Whoever asked for the end may kill after 10 s, as Docker does. What is left then is found by other controllers. */
const DEADLINE_MS = 8_000;

/**
 * Ends the process by SIGTERM or SIGINT: orderly, but in time whatever hangs. A second signal ends it at once.
 * @param last done after everything else
 */
export function endBySignal(app: NestFastifyApplication, logger: Logger, last: () => Promise<void>): void {
  let isEnding = false;
  const end = (signal: string) => {
    if (isEnding) process.exit(0);
    isEnding = true;
    logger.info({ signal }, 'the controller stops');
    setTimeout(() => {
      logger.warn({}, 'the controller ends although something still hangs; others go on with it');
      process.exit(0);
    }, DEADLINE_MS).unref();
    const closed = app.close().then(last);
    closed.then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'the controller ends, but not as it should');
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end);
}

/**
 * Ends the process by an error that nobody caught. Node's own report would print all members of the error, such as the
 * headers of a request: the log has its message and stack alone.
 */
export function endByError(logger: Logger, exit: (code: number) => void = process.exit.bind(process)): void {
  const end = (error: unknown) => {
    logger.error({ err: error }, 'an error that nobody caught ends the controller');
    exit(1);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
