import { DATABASE_PATIENCE_MS, DatabaseClient } from '@agent-controller/database';
import type { Logger } from '@agent-controller/kernel';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { EventEmitter } from 'node:events';
import { CHANGE_CHANNEL } from './event-rows';
import { LOGGER } from './tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from './workflow.options';

/** How often to look when no announcement can be heard; and, as a safeguard, when it can. */
const POLL_MS = { deaf: 2_000, listening: 15_000 };
const RECONNECT_MS = 1_000;
/** A connection that hears nothing may be broken without a word. */
const PROBE_MS = 10_000;

/** Hears from the database that something about a client's provisioning changed, on whichever controller. */
@Injectable()
export class ChangeWatcher implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #client?: DatabaseClient;
  #probe?: NodeJS.Timeout;
  #reconnect?: NodeJS.Timeout;
  #listening = false;
  #stopped = false;

  constructor(
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.listen();
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#reconnect);
    clearInterval(this.#probe);
    this.#changes.emit('stop');
    await this.#client?.end().catch(() => undefined);
  }

  /**
   * Calls back on every change, and now and then without one: a caller always looks for itself.
   * @returns ends the subscription
   */
  subscribe(clientId: string, onChange: () => void): () => void {
    let timer: NodeJS.Timeout;
    const poll = () => {
      timer = setTimeout(
        () => {
          poll();
          onChange();
        },
        this.#listening ? POLL_MS.listening : POLL_MS.deaf,
      );
    };
    poll();
    this.#changes.on(clientId, onChange).on('stop', onChange);
    return () => {
      clearTimeout(timer);
      this.#changes.off(clientId, onChange).off('stop', onChange);
    };
  }

  private async listen(): Promise<void> {
    const client = new DatabaseClient({
      connectionString: this.options.directDatabaseUrl,
      application_name: 'changes',
      connectionTimeoutMillis: DATABASE_PATIENCE_MS,
      keepAlive: true,
    });
    this.#client = client;
    client.on('notification', ({ payload }) => this.#changes.emit(payload ?? ''));
    client.on('error', (error) => this.lost(client, error));
    client.once('end', () => this.lost(client));
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANGE_CHANNEL}`);
      this.#listening = true;
      this.#probe = setInterval(() => void client.query('SELECT 1').catch(() => undefined), PROBE_MS);
    } catch (error) {
      this.lost(client, error);
    }
  }

  private lost(client: DatabaseClient, error?: unknown): void {
    if (this.#stopped || client !== this.#client) return;
    this.#client = undefined;
    this.#listening = false;
    clearInterval(this.#probe);
    this.logger.warn({ err: error }, 'changes are not announced at present; looking every 2 s instead');
    void client.end().catch(() => undefined);
    this.#reconnect = setTimeout(() => void this.listen(), RECONNECT_MS);
  }
}
