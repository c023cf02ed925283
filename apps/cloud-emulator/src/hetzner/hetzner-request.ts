import type { FastifyRequest } from 'fastify';
import type { Project } from '../project';
import type { ProviderRequest } from '../provider-gate';
import { readLabels } from './hetzner-order';
import { HetznerRefusalError } from './hetzner-refusal.error';
import { matchesSelector } from './label-selector';

export type ById = { Params: { id: string } };
export type Query = Record<string, string | undefined>;
export type Fields = Record<string, unknown>;

export function projectOf(request: unknown): Project {
  return (request as ProviderRequest).project;
}

export function byId<T>(all: ReadonlyMap<number, T>, { params: { id } }: FastifyRequest<ById>, what: string): T {
  const found = all.get(Number(id));
  if (!found) throw new HetznerRefusalError('not_found', `${what} with ID '${id}' not found`);
  return found;
}

export function readName({ name }: Fields): string {
  if (typeof name === 'string' && name !== '') return name;
  throw HetznerRefusalError.invalidInput('name', 'Missing data for required field.');
}

/** Changes the name, the labels or both. @throws HetznerRefusalError when the name is another one's */
export function rename(
  record: { name: string; labels: Record<string, string> },
  fields: Fields,
  all: ReadonlyMap<number, { name: string }>,
): void {
  const labels = fields['labels'] === undefined ? record.labels : readLabels(fields['labels']);
  const name = fields['name'] === undefined ? record.name : readName(fields);
  if (name !== record.name && [...all.values()].some((each) => each.name === name)) {
    throw new HetznerRefusalError('uniqueness_error', 'name is already used');
  }
  Object.assign(record, { name, labels });
}

export function labelled<T extends { labels: unknown }>(all: T[], { label_selector: selector }: Query): T[] {
  if (selector === undefined) return all;
  return all.filter(({ labels }) => matchesSelector(labels as Record<string, string>, selector));
}
