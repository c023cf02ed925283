import fastifyCors from '@fastify/cors';
import { AuditTrail, FailedAuthentications, RateLimiter } from '@agent-controller/access';
import { systemClock, traceFields, type Logger } from '@agent-controller/kernel';
import { CatalogueAnswers } from '@agent-controller/provisioning-feature';
import { RequestMethod } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { AppModule } from '../app.module';
import { AccessHook } from '../authentication/access.hook';
import { authenticators } from '../authentication/authenticators';
import type { Env } from '../env';
import { MetricsService } from '../metrics/metrics.service';
import { NestLogger } from '../logger';
import { refuseOtherMethods } from './allowed-methods';
import { auditHook } from './audit.hook';
import { callRecord, type CallRecord } from './call-record';
import { answerClientError } from './client-error';
import { limitBodies, MAX_BODY_BYTES } from './body-limits';
import { addDocumentation } from './documentation';
import { acceptJson } from './json-body';
import { ProblemFilter } from './problem.filter';
import { requireDeclaredRoutes } from './route-access';
import { securityHeaders, setSecurityHeaders } from './security-headers';
import { openShortWay, type ShortWayOptions } from './short-way';
import { traceParentOfRequest, traceRequests } from '../tracing/trace.hooks';
import { timeLimits } from './time-limits';
import { validationPipe } from './validation.pipe';

/** The controller behind its HTTP interface, not listening yet. */
export async function createHttpApplication(env: Env, logger: Logger): Promise<NestFastifyApplication> {
  const filter = new ProblemFilter(logger);
  const adapter = new FastifyAdapter({
    ...timeLimits(env),
    trustProxy: trustedProxies(env),
    bodyLimit: MAX_BODY_BYTES,
    genReqId: () => randomUUID(),
    // Waiting calls and streams end by the shutdown signal; idle connections must not hold the end up.
    forceCloseConnections: 'idle',
    clientErrorHandler: answerClientError,
    // Before any hook.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      setSecurityHeaders(request, reply);
      filter.send(error, request, reply);
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.register(env, logger), adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
    bodyParser: false,
  });
  const fastify = app.getHttpAdapter().getInstance();
  acceptJson(fastify);
  closeConnectionsOnTheWay(fastify);
  limitBodies(fastify);
  // Node would answer it without a body. Whatever else is expected than 100-continue, is not promised by an answer.
  fastify.server.on('checkExpectation', (request, response) => fastify.server.emit('request', request, response));
  requireDeclaredRoutes(fastify, logger);
  fastify.addHook('onRequest', securityHeaders);
  if (env.TRUST_PROXY === undefined) warnOfProxy(fastify, logger);
  await allowOrigins(fastify, env);
  const access = guard(app, env, logger);
  if (env.OTEL_EXPORTER_OTLP_ENDPOINT) traceRequests(fastify);
  // After the guard: who may not call anything learns nothing of what there is.
  refuseOtherMethods(fastify);
  const record = callRecord(app.get(MetricsService), logger);
  recordCalls(app, record);
  shorten(app, access, env, { logger, record });
  app.setGlobalPrefix('api', { exclude: [{ path: 'metrics', method: RequestMethod.GET }] });
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(filter);
  addDocumentation(app);
  return app;
}

/** Without it, whoever connects is who calls, whatever their headers say. */
function trustedProxies({ TRUST_PROXY: value }: Env): string[] | false {
  return value === undefined ? false : value.split(',').map((part) => part.trim());
}

/** Says once that there seems to be a proxy, behind which all callers have one address. */
function warnOfProxy(fastify: FastifyInstance, logger: Logger): void {
  let isSaid = false;
  fastify.addHook('onRequest', ({ headers, ip }, _reply, done) => {
    if (!isSaid && headers['x-forwarded-for'] !== undefined) {
      isSaid = true;
      logger.warn({ ip }, 'X-Forwarded-For is not believed: if this address is your proxy, name it in TRUST_PROXY');
    }
    done();
  });
}

/** Other origins are allowed only where they are configured. */
async function allowOrigins(fastify: FastifyInstance, { CORS_ORIGIN }: Env): Promise<void> {
  if (!CORS_ORIGIN) return;
  await fastify.register(fastifyCors, {
    origin: CORS_ORIGIN.split(',').map((origin) => origin.trim()),
    methods: ['GET', 'POST', 'PATCH', 'DELETE'],
    exposedHeaders: [
      ...['Location', 'Retry-After', 'Link', 'Preference-Applied', 'WWW-Authenticate'],
      ...['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
    ],
  });
}

/** Who calls, how often, whether they may, and the trace of it. */
function guard(app: NestFastifyApplication, env: Env, logger: Logger): AccessHook {
  const fastify = app.getHttpAdapter().getInstance();
  const ways = authenticators(env, logger);
  const limits = { callerRate: env.CALLER_RATE_LIMIT, failureRate: env.FAILED_AUTHENTICATION_LIMIT };
  const access = new AccessHook(ways, app.get(RateLimiter), app.get(FailedAuthentications), limits, systemClock);
  fastify.addHook('onRequest', access.onRequest);
  fastify.addHook('onSend', auditHook(app.get(AuditTrail)));
  fastify.addHook('onClose', async () => ways.close());
  return access;
}

/** Where calls are not traced, and answers are the same for every origin. */
function shorten(
  app: NestFastifyApplication,
  access: AccessHook,
  env: Env,
  told: Pick<ShortWayOptions, 'logger' | 'record'>,
): void {
  if (env.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined || env.CORS_ORIGIN) return;
  openShortWay(app.getHttpAdapter().getInstance(), {
    ...{ answers: app.get(CatalogueAnswers), access, ...told },
    // Warned of where it is not believed.
    telling: env.TRUST_PROXY === undefined ? ['x-forwarded-for'] : [],
  });
}

/** Connections that become idle while the server closes would hold it up for their keep-alive time otherwise. */
function closeConnectionsOnTheWay(fastify: FastifyInstance): void {
  fastify.addHook('preClose', (done) => {
    const timer = setInterval(() => fastify.server.closeIdleConnections(), 50);
    fastify.server.once('close', () => clearInterval(timer));
    done();
  });
}

function recordCalls(app: NestFastifyApplication, record: CallRecord): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request, reply, done) => {
      const { method, id: requestId } = request;
      const route = request.routeOptions.url ?? 'unknown';
      const [path = ''] = request.url.split('?');
      const { statusCode: status, elapsedTime: ms } = reply;
      record({ requestId, method, route, path, status, ms }, traceFields(traceParentOfRequest(request)));
      done();
    });
}
