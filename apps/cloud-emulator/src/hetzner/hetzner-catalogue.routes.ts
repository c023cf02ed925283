import type { FastifyInstance } from 'fastify';
import { LOCATIONS, SERVER_TYPES } from './hetzner.catalogue';
import { hetznerError } from './hetzner.errors';
import { page } from './hetzner-page';
import { HetznerRefusalError } from './hetzner-refusal.error';
import { IMAGES } from './hetzner.images';
import { imageView, pricingView, serverTypeView } from './hetzner.views';

type ById = { Params: { id: string } };
type Query = Record<string, string | undefined>;
/** Filters may be given more than once. */
type Filters = Record<string, string | string[] | undefined>;

/** What can be ordered, where, and for how much. */
export function addCatalogueRoutes(app: FastifyInstance): void {
  addList(app, { path: 'server_types', singular: 'server_type', all: () => SERVER_TYPES.map(serverTypeView) });
  addList(app, { path: 'locations', singular: 'location', all: () => LOCATIONS });
  addList(app, {
    path: 'images',
    singular: 'image',
    all: () => IMAGES.map(imageView),
    filters: ['architecture', 'type', 'status'],
    isListed: ({ deprecated }, { include_deprecated: wanted }) => deprecated === null || wanted === 'true',
  });
  app.get('/pricing', () => ({ pricing: pricingView() }));
  for (const path of ['/datacenters', '/datacenters/:id']) {
    app.get(path, (_request, reply) =>
      hetznerError(reply, 'deprecated_api_endpoint', 'this endpoint was removed; use locations'),
    );
  }
}

interface CatalogueList<T extends { id: number }> {
  path: string;
  singular: string;
  all: () => T[];
  /** Query parameters that a field of the same name must equal, or be among. `name` is one everywhere. */
  filters?: string[];
  isListed?: (entry: T, query: Filters) => boolean;
}

function addList<T extends { id: number }>(app: FastifyInstance, list: CatalogueList<T>): void {
  const { path, singular, all, filters = [], isListed = () => true } = list;
  app.get(`/${path}`, (request) => {
    const query = request.query as Filters;
    const fits = (each: object) =>
      filters.every((name) => query[name] === undefined || [query[name]].flat().includes((each as Query)[name] ?? ''));
    const found = all().filter((each) => fits(each) && isListed(each, query));
    return page(path, found, query as Query);
  });
  app.get<ById>(`/${path}/:id`, ({ params: { id } }) => {
    const found = all().find((each) => String(each.id) === id);
    if (!found) throw new HetznerRefusalError('not_found', `${singular} with ID '${id}' not found`);
    return { [singular]: found };
  });
}
