import type { FastifyInstance } from 'fastify';
import { IMAGES, LOCATIONS, SERVER_TYPES } from './hetzner.catalogue';
import { hetznerError } from './hetzner.errors';
import { page } from './hetzner-page';
import { HetznerRefusalError } from './hetzner-refusal.error';
import { imageView, pricingView, serverTypeView } from './hetzner.views';

type ById = { Params: { id: string } };
type Query = Record<string, string | undefined>;

/** What can be ordered, where, and for how much. */
export function addCatalogueRoutes(app: FastifyInstance): void {
  addList(app, { path: 'server_types', singular: 'server_type', all: () => SERVER_TYPES.map(serverTypeView) });
  addList(app, { path: 'locations', singular: 'location', all: () => LOCATIONS });
  addList(app, {
    path: 'images',
    singular: 'image',
    all: () => IMAGES.map(imageView),
    filters: ['architecture', 'type'],
  });
  app.get('/pricing', () => ({ pricing: pricingView() }));
  for (const path of ['/datacenters', '/datacenters/:id']) {
    app.get(path, (_request, reply) =>
      hetznerError(reply, 'deprecated_api_endpoint', 'this endpoint was removed; use locations'),
    );
  }
}

interface CatalogueList {
  path: string;
  singular: string;
  all: () => { id: number; name: string }[];
  /** Query parameters that a field of the same name must equal. `name` is one everywhere. */
  filters?: string[];
}

function addList(app: FastifyInstance, { path, singular, all, filters = [] }: CatalogueList): void {
  app.get(`/${path}`, (request) => {
    const query = request.query as Query;
    const fits = (each: object) =>
      filters.every((name) => query[name] === undefined || (each as Query)[name] === query[name]);
    return page(path, all().filter(fits), query);
  });
  app.get<ById>(`/${path}/:id`, ({ params: { id } }) => {
    const found = all().find((each) => String(each.id) === id);
    if (!found) throw new HetznerRefusalError('not_found', `${singular} with ID '${id}' not found`);
    return { [singular]: found };
  });
}
