import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { describeProblems } from './described-problems';

const DOCS_PATH = '/api/docs';
const DOCUMENT_PATH = '/api/openapi.json';

/** Whether a URL is of the page, where browsers log in by themselves. */
export function isDocumentation(url: string): boolean {
  if (!url.startsWith(DOCS_PATH)) return false;
  const path = url.split('?')[0] ?? '';
  return path === DOCS_PATH || path.startsWith(`${DOCS_PATH}/`);
}

/** Whether a route is one of those that Swagger registers. */
export function isDocumentationRoute(url: string): boolean {
  return isDocumentation(url) || url === DOCUMENT_PATH || url === `${DOCS_PATH}-yaml` || url === `${DOCS_PATH}-json`;
}

export function addDocumentation(app: NestFastifyApplication): void {
  const config = new DocumentBuilder()
    .setTitle('Agent Controller')
    .setDescription('Errors are RFC 9457 problem details (`application/problem+json`) with a stable `code`.')
    .setVersion('0.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key, or an access token' })
    .build();
  const document = () =>
    describeProblems(
      SwaggerModule.createDocument(app, config, { operationIdFactory: (_controller, method) => method }),
    );
  SwaggerModule.setup('api/docs', app, document, { jsonDocumentUrl: 'api/openapi.json' });
}
