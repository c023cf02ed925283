import type { FastifyRequest } from 'fastify';
import type { Project } from '../project';
import type { ProviderRequest } from '../provider-gate';

export function projectOf(request: unknown): Project {
  return (request as ProviderRequest).project;
}

/** The address of a list, for its links. */
export function urlOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}${request.url.split('?')[0]}`;
}
