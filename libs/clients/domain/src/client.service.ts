import { AppError, maySee, type Caller } from '@agent-controller/kernel';
import { OutboundGuard } from '@agent-controller/outbound';
import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { QueryFailedError } from 'typeorm';
import type { AgentCredentials } from './agent-credentials';
import { ClientTexts } from './client-texts';
import { Client } from './client.entity';
import { ClientRepository, type ClientCursor } from './client.repository';
import { forbiddenUrls } from './forbidden-urls';

export interface NewClient {
  name: string;
  description?: string;
  endpoint: string;
  agentWsPort: number;
  credentials: AgentCredentials;
  isProtected?: boolean;
}

export interface ClientChanges extends Partial<NewClient> {
  description?: string;
}

export interface ClientSearch {
  /** Rows at most. */
  limit: number;
  after?: ClientCursor;
  /** A subject. */
  owner?: string;
}

export interface ClientPage {
  /** A list of clients as callers see them. */
  json: string;
  /** Where the next page starts; null on the last. */
  next: ClientCursor | null;
}

/** Clients as callers manage them. Those that were provisioned here come and go with their servers. */
@Injectable()
export class ClientService {
  readonly #texts: ClientTexts;

  constructor(
    private readonly clients: ClientRepository,
    private readonly guard: OutboundGuard,
  ) {
    this.#texts = new ClientTexts(clients);
  }

  /** What the caller may see. */
  async page(caller: Caller, { limit, after, owner }: ClientSearch): Promise<ClientPage> {
    // Of another's there is nothing to see: no error, which would tell that there is.
    if (owner !== undefined && !maySee(caller, owner)) return { json: '[]', next: null };
    const of = owner ?? (caller.role === 'admin' ? null : caller.subject);
    const found = await this.clients.page(of, limit + 1, after);
    const texts = await this.#texts.of(found.slice(0, limit));
    const last = found.length > limit ? texts.at(-1) : undefined;
    const next = last ? { createdAt: last.createdAt, id: last.id } : null;
    return { json: `[${texts.map(({ json }) => json).join(',')}]`, next };
  }

  /** @throws AppError `client-not-found` */
  async get(id: string, caller: Caller): Promise<Client> {
    const client = await this.clients.find(id, caller);
    if (!client) throw new AppError('client-not-found', `There is no client ${id}.`);
    return client;
  }

  /** @throws AppError `name-taken`, `host-not-allowed` */
  async create(wanted: NewClient, caller: Caller): Promise<Client> {
    await this.assertMayCall(wanted);
    const id = randomUUID();
    const client = Object.assign(new Client(), {
      id,
      owner: caller.subject,
      name: wanted.name,
      description: wanted.description ?? null,
      endpoint: wanted.endpoint,
      agentWsPort: wanted.agentWsPort,
      authenticationType: wanted.credentials.type,
      isAutoProvisioned: false,
      isProtected: wanted.isProtected ?? false,
      sealedCredentials: this.clients.sealCredentials(id, wanted.credentials),
    });
    await unlessTaken(wanted.name, () => this.clients.insert(client));
    return this.get(id, caller);
  }

  /** @throws AppError `client-not-found`, `name-taken`, `client-is-provisioned`, `host-not-allowed` */
  async update(id: string, { credentials, ...changes }: ClientChanges, caller: Caller): Promise<Client> {
    const client = await this.get(id, caller);
    const ofServer = credentials ?? changes.endpoint ?? changes.agentWsPort;
    if (client.isAutoProvisioned && ofServer !== undefined) {
      throw new AppError(
        'client-is-provisioned',
        'Only name, description and protected of a provisioned client can be changed: the rest belongs to its server.',
      );
    }
    await this.assertMayCall({ endpoint: changes.endpoint, credentials });
    const sealed = credentials && {
      authenticationType: credentials.type,
      sealedCredentials: this.clients.sealCredentials(id, credentials),
    };
    const patch = Object.fromEntries(
      Object.entries({ ...changes, ...sealed }).filter(([, value]) => value !== undefined),
    );
    if (Object.keys(patch).length > 0) {
      await unlessTaken(changes.name ?? client.name, () => this.clients.update(id, patch));
    }
    return this.get(id, caller);
  }

  /** @throws AppError `client-not-found`, `client-protected`, `client-is-provisioned` */
  async delete(id: string, caller: Caller): Promise<void> {
    const client = await this.get(id, caller);
    if (client.isProtected) throw clientProtected(id);
    if (client.isAutoProvisioned) {
      throw new AppError(
        'client-is-provisioned',
        `This client has a server, which is billed. Use DELETE /api/clients/${id}/provisioning.`,
      );
    }
    if (await this.clients.deleteUnprotected(id)) return;
    // Protected just now; or another was faster.
    if (await this.clients.find(id, caller)) throw clientProtected(id);
  }

  private async assertMayCall({ endpoint, credentials }: Partial<NewClient>): Promise<void> {
    const keycloakAuthServerUrl = credentials?.type === 'keycloak' ? credentials.authServerUrl : null;
    const problem = await forbiddenUrls(this.guard, { endpoint, keycloakAuthServerUrl });
    if (problem) throw problem;
  }
}

/** Runs a write of a client, and turns a refused name into `name-taken`. */
export async function unlessTaken<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // Of the driver: some statements do not go through TypeORM.
    const cause = (error instanceof QueryFailedError ? error.driverError : error) as { constraint?: string } | null;
    if (cause?.constraint !== 'clients_owner_name_key') throw error;
    throw nameTaken(name);
  }
}

export function nameTaken(name: string): AppError {
  const message = `A client named '${name}' exists already. Choose another name, or delete that client.`;
  return new AppError('name-taken', message, { errors: [{ field: 'name', message }] });
}

export function clientProtected(id: string): AppError {
  return new AppError(
    'client-protected',
    `Client ${id} is protected from deletion. Send PATCH /api/clients/${id} with {"protected": false} first.`,
  );
}
