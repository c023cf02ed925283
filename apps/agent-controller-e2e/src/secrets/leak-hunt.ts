import type { ProvisionedClientView } from '@agent-controller/contracts';
import { Installation, type Controller } from '../support/controller-process';
import { provisionBody } from '../support/provision';
import { marker, type Marker, type Output } from './secret-search';

export interface Sent {
  method: string;
  path: string;
  body?: unknown;
  /** Instead of `body`: as it is. */
  raw?: string;
  headers?: Record<string, string>;
  /** Where the answer is noted. Default: method and path's route. */
  place?: string;
}

export interface Answered {
  status: number;
  headers: Headers;
  text: string;
}

const PROVISION = '/api/clients/provisioning/provision';

/** Notes all that comes out of an installation, and which secrets went into it. */
export class LeakHunt {
  readonly outputs: Output[] = [];
  readonly markers: Marker[] = [];

  constructor(
    readonly installation: Installation,
    private readonly name: string,
  ) {
    const { apiKey, token, encryptionKey, database } = installation;
    this.know(`${name}: key of the caller`, apiKey);
    this.know(`${name}: token of the providers`, token);
    this.know(`${name}: encryption key`, encryptionKey);
    this.know(`${name}: password of the database`, new URL(database.url).password);
  }

  /** A secret that goes in from now on. */
  mark(what: string): string {
    const made = marker(`${this.name}: ${what}`);
    this.markers.push(made);
    return made.value;
  }

  /** A secret that was made elsewhere. */
  know(name: string, value: string | undefined): void {
    if (value && !this.markers.some((each) => each.value === value)) this.markers.push({ name, value });
  }

  note(place: string, text: string): void {
    this.outputs.push({ place: `${this.name}: ${place}`, text });
  }

  /** As the caller with all rights, unless the headers say otherwise. */
  async send(
    controller: Pick<Controller, 'url'>,
    { method, path, body, raw, headers, place }: Sent,
  ): Promise<Answered> {
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(controller.url + path, {
      method,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${this.installation.apiKey}`,
        ...(content === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: content,
    });
    const text = await response.text();
    const head = [...response.headers].map((header) => header.join(': ')).join('\n');
    this.note(place ?? `answer to ${method} ${path.split('?')[0]}`, `${response.status}\n${head}\n\n${text}`);
    return { status: response.status, headers: response.headers, text };
  }

  /** Orders a server with a secret in each field that may hold one. */
  async order(controller: Controller, what: string, changes: Record<string, unknown> = {}, headers = {}) {
    const body = provisionBody({ ...this.secretFields(what), ...changes });
    const place = `accept of ${what}`;
    const answer = await this.send(controller, { method: 'POST', path: PROVISION, body, headers, place });
    const view = JSON.parse(answer.text) as ProvisionedClientView & { clientId?: string };
    // One that the controller made.
    if (view.apiKey) this.know(`${this.name}: apiKey of ${what}`, view.apiKey);
    return { ...answer, id: view.id ?? view.clientId ?? '', body };
  }

  secretFields(what: string): Record<string, unknown> {
    return {
      apiKey: this.mark(`apiKey of ${what}`),
      gitRepositoryUrl: 'https://git.example.com/team/project.git',
      gitUsername: 'robot',
      gitToken: this.mark(`gitToken of ${what}`),
      gitPrivateKey: `-----BEGIN KEY-----\n${this.mark(`gitPrivateKey of ${what}`)}\n-----END KEY-----\n`,
      cursorApiKey: this.mark(`cursorApiKey of ${what}`),
      environment: { FURTHER: `"quoted" ${this.mark(`environment of ${what}`)}\nsecond line` },
    };
  }

  /** The secrets that the controller made for each server, from the servers themselves; and what the provider has. */
  async learn(): Promise<void> {
    for (const {
      name,
      userData,
      files,
      agentEnvironment,
      postgresEnvironment,
    } of await this.installation.emulator.servers()) {
      const { DB_PASSWORD, JWT_SECRET, ENCRYPTION_KEY, STATIC_API_KEY } = agentEnvironment ?? {};
      const made = { DB_PASSWORD, JWT_SECRET, ENCRYPTION_KEY, STATIC_API_KEY, ...postgresEnvironment };
      for (const variable of ['DB_PASSWORD', 'JWT_SECRET', 'ENCRYPTION_KEY', 'STATIC_API_KEY', 'POSTGRES_PASSWORD']) {
        this.know(`${this.name}: ${variable} of a server`, (made as Record<string, string>)[variable]);
      }
      const key = files.find(({ path }) => path.endsWith('/key.pem'));
      this.know(`${this.name}: TLS key of ${name}`, key?.content);
      // A server forgets the bootstrap token as soon as it has used it: the user data still has it.
      for (const content of [userData, ...files.map((file) => file.content)]) {
        for (const [token] of content.matchAll(/(?<=Bearer )[\w-]{40,}/g)) {
          this.know(`${this.name}: ${userData.includes(token) ? 'bootstrap' : 'callback'} token of ${name}`, token);
        }
      }
      this.note('user data at the provider', userData);
      this.note('files of the server', files.map(({ content }) => content).join('\n'));
    }
  }

  /** All that can be asked about a client. */
  async look(controller: Controller, id: string): Promise<void> {
    for (const path of [`/api/clients/${id}`, `/api/clients/${id}/provisioning/info`]) {
      await this.send(controller, { method: 'GET', path });
    }
    const events = { method: 'GET', path: `/api/clients/${id}/provisioning/events` };
    await this.send(controller, events);
  }

  /** The stream of a client that is gone ends by itself. */
  async stream(controller: Controller, id: string): Promise<string> {
    const path = `/api/clients/${id}/provisioning/events`;
    const { text } = await this.send(controller, { method: 'GET', path, headers: { accept: 'text/event-stream' } });
    return text;
  }

  async dump(when: string): Promise<void> {
    this.note(`database ${when}`, await this.installation.everythingStored());
  }
}
