import { AppError } from '@agent-controller/kernel';
import fastify, { type FastifyInstance } from 'fastify';
import { refuseOtherMethods } from './allowed-methods';

describe('refuseOtherMethods', () => {
  let app: FastifyInstance;
  beforeEach(() => {
    app = fastify();
    refuseOtherMethods(app);
    app.setErrorHandler((error, _request, reply) => reply.status(error instanceof AppError ? 405 : 500).send(error));
    app.get('/things/:id', async () => 'one');
    app.delete('/things/:id', async () => 'gone');
    app.post('/things/open.all', async () => 'open');
  });
  afterEach(() => app.close());

  it.each<['GET' | 'PUT' | 'PATCH', string, number, string | undefined]>([
    ['PUT', '/things/5', 405, 'DELETE, GET, HEAD'],
    ['PUT', '/things/5?x=/things', 405, 'DELETE, GET, HEAD'],
    // Both are of this path: the second by its name.
    ['PATCH', '/things/open.all', 405, 'DELETE, GET, HEAD, POST'],
    ['GET', '/things/open.all', 200, undefined],
    ['PUT', '/things/openXall/more', 404, undefined],
    ['PUT', '/things/', 404, undefined],
    ['PUT', '/other', 404, undefined],
    ['GET', '/other', 404, undefined],
  ])('%s %s', async (method, url, status, allowed) => {
    const answer = await app.inject({ method, url });
    expect([answer.statusCode, answer.headers.allow]).toEqual([status, allowed]);
  });
});
