import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { BootLab } from './boot-lab';
import { vmOptionsSchema } from './vm-options';

const controllerSchema = z.strictObject({ url: z.url().nullable() });
const powerSchema = z.strictObject({ action: z.enum(['reset', 'powerdown']) });

type ById = { Params: { id: string } };

/** `/admin/lab/…`: virtual machines, and how the next one is to be. Also those that were deleted are listed. */
export function bootLabRoutes(lab: BootLab) {
  return async (app: FastifyInstance): Promise<void> => {
    app.setErrorHandler((error: Error, _request, reply) =>
      reply.status(error instanceof z.ZodError ? 400 : 500).send({ error: error.message }),
    );
    app.get('/', () => ({
      folder: lab.folder,
      controllerUrl: lab.controllerUrl,
      machines: [...lab.machines].map(([id, machine]) => ({ id: String(id), ...machine.view() })),
    }));
    app.put('/controller', ({ body }) => {
      lab.controllerUrl = controllerSchema.parse(body).url;
      return {};
    });
    app.post('/next-server', ({ body }) => {
      const options = vmOptionsSchema.parse(body ?? {});
      lab.expect(options);
      return options;
    });
    app.post<ById>('/servers/:id/power', async ({ params, body }, reply) => {
      const machine = lab.machines.get(Number(params.id));
      if (!machine) return reply.status(404).send({ error: 'There is no such machine' });
      await machine.power(powerSchema.parse(body).action);
      return {};
    });
  };
}
