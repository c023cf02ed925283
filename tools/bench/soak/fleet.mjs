// Steady ordering and deleting: so many orders a second at their planned times, each server deleted some time after it is
// ready, a stream of events open to some of them; and what must be true at the end.
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../stage.mjs';

const DRAIN_MS = 600_000;
/** One of so many clients has a stream of its events open. */
const STREAMED = 10;

export class Fleet {
  #ordered = new Map();
  #deleted = new Set();
  #errors = new Map();
  #streams = new Set();
  #isEnding = false;
  #work = [];

  constructor(stage, controllers, { rate, lifeSeconds }) {
    Object.assign(this, { stage, controllers, rate, lifeSeconds });
  }

  get counts() {
    return { ordered: this.#ordered.size, deleted: this.#deleted.size, streams: this.#streams.size };
  }

  /** What was answered with an error, and how often. */
  get errors() {
    return [...this.#errors];
  }

  start() {
    this.#work = [this.#order(), this.#delete()];
  }

  /** No more orders; deletes all, and waits until nothing is left. @returns what did not end */
  async end() {
    this.#isEnding = true;
    await Promise.all(this.#work);
    const missing = await this.#missing();
    this.lifeSeconds = 0;
    await until(
      async () => {
        await this.#deleteReady("phase IN ('ready', 'failed')");
        const [{ count }] = await this.stage.query('SELECT count(*)::integer AS count FROM provisioning_references');
        return count === 0;
      },
      'all are deleted',
      DRAIN_MS,
    );
    await until(() => this.#streams.size === 0, 'all streams ended with their clients');
    return { missing, ...(await this.#left()) };
  }

  async #order() {
    const began = performance.now();
    const pending = new Set();
    for (let n = 0; !this.#isEnding; n++) {
      await sleep(Math.max(0, began + (n * 1_000) / this.rate - performance.now()));
      const one = this.#orderOne(n).finally(() => pending.delete(one));
      pending.add(one);
    }
    await Promise.all(pending);
  }

  async #orderOne(n) {
    const controller = this.controllers[n % this.controllers.length];
    const order = { providerType: 'hetzner', serverType: 'cx33', name: `soak-${n}`, authenticationType: 'api_key' };
    const answer = await this.#call(controller, 'POST', '/api/clients/provisioning/provision', order, `soak-${n}`);
    if (!answer) return;
    this.#ordered.set(answer.id, n);
    if (n % STREAMED === 0) void this.#stream(controller, answer.id);
  }

  async #call(controller, method, path, body, idempotencyKey) {
    const headers = { authorization: `Bearer ${this.stage.apiKey}` };
    if (body) headers['content-type'] = 'application/json';
    if (idempotencyKey) headers['idempotency-key'] = idempotencyKey;
    try {
      const response = await fetch(controller.url + path, { method, headers, body: body && JSON.stringify(body) });
      const text = await response.text();
      if (response.ok) return text === '' ? {} : JSON.parse(text);
      this.#note(`${method} ${response.status} ${JSON.parse(text).code}`);
    } catch (error) {
      this.#note(`${method} ${error.cause?.code ?? error.message}`);
    }
    return null;
  }

  #note(what) {
    this.#errors.set(what, (this.#errors.get(what) ?? 0) + 1);
  }

  async #stream(controller, id) {
    this.#streams.add(id);
    try {
      const headers = { authorization: `Bearer ${this.stage.apiKey}`, accept: 'text/event-stream' };
      const response = await fetch(`${controller.url}/api/clients/${id}/provisioning/events`, { headers });
      let last = '';
      for await (const chunk of response.body) last = (last + Buffer.from(chunk).toString()).slice(-2_000);
      if (!last.includes('event: deleted')) this.#note('a stream ended before its client');
    } catch (error) {
      this.#note(`a stream broke: ${error.cause?.code ?? error.message}`);
    } finally {
      this.#streams.delete(id);
    }
  }

  async #delete() {
    while (!this.#isEnding) {
      await this.#deleteReady("phase = 'ready'");
      await sleep(500);
    }
  }

  async #deleteReady(which) {
    const rows = await this.stage.query(
      `SELECT client_id AS id FROM provisioning_references WHERE intent = 'present' AND ${which}
         AND phase_since < now() - $1 * interval '1 second'`,
      [this.lifeSeconds],
    );
    for (const { id } of rows) {
      const controller = this.controllers[this.#deleted.size % this.controllers.length];
      if (await this.#call(controller, 'DELETE', `/api/clients/${id}/provisioning`)) this.#deleted.add(id);
    }
  }

  /** Ordered, not deleted, and without a row: lost. */
  async #missing() {
    const rows = await this.stage.query('SELECT client_id AS id FROM provisioning_references');
    const known = new Set(rows.map(({ id }) => id));
    return [...this.#ordered.keys()].filter((id) => !this.#deleted.has(id) && !known.has(id)).length;
  }

  /** Of what the provider bills when all was deleted, and of what it ever made. */
  async #left() {
    const { stage } = this;
    const servers = await until(
      async () => {
        const found = await stage.emulatorCall('GET', `/admin/servers?token=${stage.token}`);
        return (found.length === 0 || found.every(({ life }) => life === 'gone')) && found;
      },
      'the provider has no server left',
      60_000,
    ).catch(() => stage.emulatorCall('GET', `/admin/servers?token=${stage.token}`));
    const history = await stage.emulatorCall('GET', `/admin/history?token=${stage.token}`);
    const owners = history.map(({ labels }) => labels['agent-controller/provisioning']);
    const [{ orphans, endless }] = await stage.query(
      `SELECT (SELECT count(*)::integer FROM orphan_servers) AS orphans,
         (SELECT count(*)::integer FROM provisioning_events WHERE expires_at IS NULL) AS endless`,
    );
    return {
      left: servers.length,
      doubled: owners.length - new Set(owners).size,
      made: history.length,
      orphans,
      endless,
    };
  }
}
