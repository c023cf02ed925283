import fastifyCors from '@fastify/cors';
import type { Logger } from '@agent-controller/kernel';
import { MAX_REDEMPTION_BYTES, MAX_REPORT_BYTES } from '@agent-controller/provisioning-workflow';
import { RequestMethod } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { AppModule } from '../app.module';
import { apiKeyHook } from '../authentication/api-key.hook';
import type { Env } from '../env';
import { MetricsService } from '../health/metrics.service';
import { NestLogger } from '../logger';
import { ProblemFilter } from './problem.filter';
import { trustProxyOption } from './trust-proxy';
import { validationPipe } from './validation.pipe';

/** 20 fields of 16 KB, escaped. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** The controller behind its HTTP interface, not listening yet. */
export async function createHttpApplication(env: Env, logger: Logger): Promise<NestFastifyApplication> {
  const filter = new ProblemFilter(logger);
  const adapter = new FastifyAdapter({
    bodyLimit: MAX_BODY_BYTES,
    trustProxy: trustProxyOption(env.TRUST_PROXY),
    genReqId: () => randomUUID(),
    // Waiting calls and streams end by the shutdown signal; idle connections must not hold the end up.
    forceCloseConnections: 'idle',
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => filter.send(error, request, reply),
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.register(env, logger), adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
    bodyParser: false,
  });
  const fastify = app.getHttpAdapter().getInstance();
  acceptJson(fastify);
  closeConnectionsOnTheWay(fastify);
  limitServersBodies(fastify);
  if (env.CORS_ORIGIN) {
    await fastify.register(fastifyCors, {
      origin: env.CORS_ORIGIN.split(',').map((origin) => origin.trim()),
      methods: ['GET', 'POST', 'PATCH', 'DELETE'],
      exposedHeaders: ['Location', 'Retry-After', 'Link', 'Preference-Applied'],
    });
  }
  fastify.addHook('onRequest', apiKeyHook(env.STATIC_API_KEY));
  observeRequests(app, logger);
  app.setGlobalPrefix('api', { exclude: [{ path: 'metrics', method: RequestMethod.GET }] });
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(filter);
  addDocumentation(app);
  return app;
}

/** JSON bodies; none at all is fine as well, since clients send the content type with a DELETE too. */
function acceptJson(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeContentTypeParser(['application/json', 'text/plain']);
  fastify.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parse(request, body, done);
  });
}

/** Anyone may post to these routes until the token was compared: their bodies are small. */
function limitServersBodies(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (route.url.startsWith('/api/provisioning/callbacks')) route.bodyLimit = MAX_REPORT_BYTES;
    if (route.url.startsWith('/api/provisioning/bootstrap')) route.bodyLimit = MAX_REDEMPTION_BYTES;
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

function observeRequests(app: NestFastifyApplication, logger: Logger): void {
  const metrics = app.get(MetricsService);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', async (request, reply) => {
      const { method, id: requestId } = request;
      const route = request.routeOptions.url ?? 'unknown';
      const { statusCode: status, elapsedTime } = reply;
      metrics.observeRequest({ method, route, status }, elapsedTime / 1000);
      logger.info(
        { requestId, method, path: request.url.split('?')[0], status, ms: Math.round(elapsedTime) },
        'request',
      );
    });
}

function addDocumentation(app: NestFastifyApplication): void {
  const config = new DocumentBuilder()
    .setTitle('Agent Controller')
    .setDescription('Errors are RFC 9457 problem details (`application/problem+json`) with a stable `code`.')
    .setVersion('0.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'STATIC_API_KEY' })
    .build();
  const document = () =>
    SwaggerModule.createDocument(app, config, { operationIdFactory: (_controller, method) => method });
  SwaggerModule.setup('api/docs', app, document, { jsonDocumentUrl: 'api/openapi.json' });
}
