import { Public, Roles } from '@agent-controller/access';
import type { Logger } from '@agent-controller/kernel';
import { Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { isChange, requireDeclaredRoutes } from './route-access';

@Roles('admin')
@Controller('whole')
class WholeController {
  @Get()
  all() {
    return 'all';
  }

  @Public()
  @Get('open')
  open() {
    return 'open';
  }

  @Post('look')
  @Roles('viewer', { changes: false })
  look() {
    return 'look';
  }
}

@Controller('forgotten')
class ForgottenController {
  @Get('one')
  @Roles('viewer')
  one() {
    return 'one';
  }

  @Get('two')
  two() {
    return 'two';
  }
}

@Module({ controllers: [WholeController] })
class GoodModule {}

@Module({ controllers: [WholeController, ForgottenController] })
class ForgetfulModule {}

describe('requireDeclaredRoutes', () => {
  let app: NestFastifyApplication;
  let logged: Record<string, unknown>[];
  let changes: Record<string, boolean>;

  async function start(module: new () => object): Promise<void> {
    [logged, changes] = [[], {}];
    app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), { logger: false });
    const fastify = app.getHttpAdapter().getInstance();
    const debug = (fields: object) => void logged.push(fields as Record<string, unknown>);
    requireDeclaredRoutes(fastify, { debug } as unknown as Logger);
    fastify.addHook('onRequest', async (request: FastifyRequest) => {
      changes[`${request.method} ${request.url}`] = isChange(request);
    });
    await app.init();
    await fastify.ready();
  }
  afterEach(() => app.close());

  it('knows what each route declares: the handler’s own, or that of its class', async () => {
    await start(GoodModule);
    expect(logged).toEqual([
      {
        routes: expect.arrayContaining([
          { method: 'GET', url: '/whole', role: 'admin' },
          { method: 'HEAD', url: '/whole', role: 'admin' },
          { method: 'GET', url: '/whole/open', role: 'public' },
          { method: 'POST', url: '/whole/look', role: 'viewer', changes: false },
        ]),
      },
    ]);
    const fastify = app.getHttpAdapter().getInstance();
    for (const [method, url] of [
      ['GET', '/whole'],
      ['POST', '/whole/look'],
      ['POST', '/nowhere'],
      ['GET', '/nowhere'],
    ] as const) {
      await fastify.inject({ method, url });
    }
    expect(changes).toEqual({
      ...{ 'GET /whole': false, 'POST /whole/look': false, 'POST /nowhere': true, 'GET /nowhere': false },
    });
  });

  it('does not let the server start with a route that declares nothing, and names it', async () => {
    await expect(start(ForgetfulModule)).rejects.toThrow(
      /^Routes without @Roles or @Public: GET \/forgotten\/two, HEAD \/forgotten\/two$/,
    );
  });
});
