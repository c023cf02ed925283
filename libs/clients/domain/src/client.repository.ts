import { columnsOf, quickQuery } from '@agent-controller/database';
import { maySee, SecretBox, type Caller, type SealedPlace } from '@agent-controller/kernel';
import { Injectable } from '@nestjs/common';
import { DataSource, In, type EntityManager } from 'typeorm';
import type { AgentCredentials } from './agent-credentials';
import { Client } from './client.entity';

/** Where a page of clients starts: behind the client that was last on the page before. */
export interface ClientCursor {
  createdAt: Date;
  id: string;
}

/** What lists need: nothing that must be opened. */
export type ClientWithoutCredentials = Omit<Client, 'sealedCredentials'>;

/** A client on a page. */
export interface ListedClient {
  id: string;
  /** The transaction that wrote the row as it is (`xmin`): another one, another content. */
  change: string;
}

/** The table `clients`. Credentials are sealed on the way in and opened on the way out. */
@Injectable()
export class ClientRepository {
  #listed?: string;

  constructor(
    private readonly dataSource: DataSource,
    private readonly secretBox: SecretBox,
  ) {}

  /** Newest first: which, and as of which change. @param owner null: of everybody @param limit rows at most */
  page(owner: string | null, limit: number, after?: ClientCursor): Promise<ListedClient[]> {
    const place = after ? [after.createdAt, after.id] : [];
    const wanted = [
      ...(owner === null ? [] : [`owner = $${place.length + 2}`]),
      ...(after ? ['(created_at, id) < ($2, $3)'] : []),
    ];
    const text = `SELECT id, xmin::text AS change FROM clients ${wanted.length > 0 ? `WHERE ${wanted.join(' AND ')}` : ''}
      ORDER BY created_at DESC, id DESC LIMIT $1`;
    return quickQuery(this.dataSource, text, [limit, ...place, ...(owner === null ? [] : [owner])]);
  }

  /** In no order; those that are gone are left out. */
  loadListed(ids: readonly string[]): Promise<(ClientWithoutCredentials & ListedClient)[]> {
    this.#listed ??= `SELECT ${columnsOf(this.dataSource, Client, 'client', { without: ['sealedCredentials'] })},
      client.xmin::text AS change FROM clients AS client WHERE client.id = ANY($1)`;
    return quickQuery(this.dataSource, this.#listed, [ids]);
  }

  /** Whoever owns it: for work that no caller asked for just now. */
  get(id: string, manager: EntityManager = this.dataSource.manager): Promise<Client | null> {
    return manager.findOneBy(Client, { id });
  }

  getAll(ids: readonly string[]): Promise<Client[]> {
    return this.dataSource.manager.findBy(Client, { id: In([...ids]) });
  }

  /** Null as well when this caller may not see it. */
  async find(id: string, caller: Caller, manager: EntityManager = this.dataSource.manager): Promise<Client | null> {
    const client = await this.get(id, manager);
    return client && maySee(caller, client.owner) ? client : null;
  }

  /** Until the transaction ends, nobody else changes it. */
  lock(id: string, manager: EntityManager): Promise<Client | null> {
    return manager.findOne(Client, { where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  async isNameTaken(name: string, owner: string): Promise<boolean> {
    const text = 'SELECT FROM clients WHERE owner = $1 AND name = $2';
    return (await quickQuery(this.dataSource, text, [owner, name])).length > 0;
  }

  async insert(client: Client, manager: EntityManager = this.dataSource.manager): Promise<void> {
    await manager.insert(Client, client);
  }

  async update(id: string, patch: Partial<Client>, manager: EntityManager = this.dataSource.manager): Promise<void> {
    await manager.update(Client, { id }, patch);
  }

  async delete(id: string, manager: EntityManager = this.dataSource.manager): Promise<void> {
    await manager.delete(Client, { id });
  }

  /** @returns whether it went: one that is protected by then stays */
  async deleteUnprotected(id: string): Promise<boolean> {
    const { affected } = await this.dataSource.manager.delete(Client, { id, isProtected: false });
    return affected === 1;
  }

  sealCredentials(clientId: string, credentials: AgentCredentials): string {
    return this.secretBox.seal(JSON.stringify(credentials), place(clientId));
  }

  openCredentials(client: Pick<Client, 'id' | 'sealedCredentials'>): AgentCredentials | null {
    if (client.sealedCredentials === null) return null;
    return JSON.parse(this.secretBox.open(client.sealedCredentials, place(client.id))) as AgentCredentials;
  }
}

function place(clientId: string): SealedPlace {
  return { table: 'clients', column: 'sealed_credentials', rowId: clientId };
}
