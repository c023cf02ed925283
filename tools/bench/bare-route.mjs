// The least that NestJS on Fastify can do: answers given bytes, or objects, after the same check of the key as the
// controller's. The answers are in the file that the first argument names.
import { Controller, Get, Header, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import 'reflect-metadata';

const { apiKey, routes } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const sha256 = (value) => createHash('sha256').update(value).digest();
const digest = sha256(apiKey);

class BareController {}
Controller()(BareController);
for (const [index, { path, text, as }] of routes.entries()) {
  const answer = as === 'object' ? JSON.parse(text) : text;
  const name = `route${index}`;
  Object.defineProperty(BareController.prototype, name, { value: () => answer, configurable: true });
  const descriptor = Object.getOwnPropertyDescriptor(BareController.prototype, name);
  Get(path)(BareController.prototype, name, descriptor);
  Header('content-type', 'application/json; charset=utf-8')(BareController.prototype, name, descriptor);
}
class BareModule {}
Module({ controllers: [BareController] })(BareModule);

const app = await NestFactory.create(BareModule, new FastifyAdapter(), { logger: false });
app
  .getHttpAdapter()
  .getInstance()
  .addHook('onRequest', async (request, reply) => {
    const [, given = ''] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (!timingSafeEqual(sha256(given), digest)) return reply.status(401).send();
  });
await app.listen(0, '127.0.0.1');
console.log(JSON.stringify({ url: await app.getUrl(), msg: 'the bare route listens' }));
process.on('SIGTERM', () => process.exit(0));
