import { networkOf, type AuditTrail, type Identity, type NewAuditEntry } from '@agent-controller/access';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isChange } from './route-access';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const CLIENT_ROUTE = '/api/clients/:id';
const CLIENT_PATH = new RegExp(`^/api/clients/(${UUID})(?:/|$)`, 'i');

type Done = (error: Error | null, payload?: unknown) => void;

/**
 * Writes what changed anything, or was refused to, into the audit trail, before the answer leaves: who has the answer
 * finds the entry. Reports of servers are not in it: they are in the provisioning's log.
 */
export function auditHook(trail: Pick<AuditTrail, 'note'>) {
  return (request: FastifyRequest, reply: FastifyReply, payload: unknown, done: Done): void => {
    const { identity } = request;
    // Without an identity it was refused before: that is counted elsewhere. So are those who ask too often.
    if (!identity || !isChange(request) || request.is404) {
      done(null, payload);
      return;
    }
    trail.note(entry(request, reply, payload, identity)).then(() => done(null, payload), done);
  };
}

function entry(request: FastifyRequest, reply: FastifyReply, payload: unknown, identity: Identity): NewAuditEntry {
  const { status, code } = outcome(reply, payload);
  return {
    at: new Date(Date.now() - reply.elapsedTime),
    subject: identity.subject,
    role: identity.role,
    action: `${request.method} ${request.routeOptions.url ?? ''}`,
    clientId: clientId(request, reply),
    address: networkOf(request.ip),
    status,
    code,
    requestId: request.id,
    count: 1,
  };
}

function outcome(reply: FastifyReply, payload: unknown): { status: number; code: string | null } {
  const status = reply.statusCode;
  const isProblem = String(reply.getHeader('content-type')).includes('application/problem+json');
  if (!isProblem || typeof payload !== 'string') return { status, code: null };
  const { code } = JSON.parse(payload) as { code?: string };
  return { status, code: code ?? null };
}

/** That of the path, as the router understood it, or that which was made. */
function clientId(request: FastifyRequest, reply: FastifyReply): string | null {
  const { id = '' } = request.params as { id?: string };
  const isOfClient = request.routeOptions.url?.startsWith(CLIENT_ROUTE) === true;
  const path = isOfClient ? `/api/clients/${id}` : String(reply.getHeader('location') ?? '');
  return CLIENT_PATH.exec(path)?.[1]?.toLowerCase() ?? null;
}
