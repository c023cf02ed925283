import 'reflect-metadata';
import { setFlagsFromString } from 'node:v8';
import { migrateUp } from './database';
import { ConfigurationError, parseEnv } from './env';
import { createHttpApplication } from './http/http-application';
import { createLogger } from './logger';
import { endByError, endBySignal } from './shutdown';
import { startTracing } from './tracing/start-tracing';

// A burst leaves much that is of no use any more. V8 would let it grow to several times what is in use before it looks;
// at half of that the controller of 1,000 servers stays a third smaller, and no slower (docs/benchmarks-provisioning.md).
setFlagsFromString('--heap-growing-percent=50');

async function main(): Promise<void> {
  const env = parseEnv();
  const logger = createLogger(env.LOG_LEVEL, undefined, env.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined);
  endByError(logger);
  const endTracing = await startTracing(env, logger);
  await migrateUp(env.DATABASE_DIRECT_URL ?? env.DATABASE_URL, env.ENCRYPTION_KEYS);
  const app = await createHttpApplication(env, logger);
  endBySignal(app, logger, endTracing);
  await app.listen(env.PORT, env.HOST);
  logger.info({ url: await app.getUrl() }, 'agent-controller listens');
}

main().catch((error: Error) => {
  // A driver's error may quote what it was given; the message of ours was written for people.
  const text = error instanceof ConfigurationError ? error.message : `The controller cannot start: ${error.message}`;
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
