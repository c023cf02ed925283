import { RecordingGate, ScriptedHttp, type ScriptedStep } from '@agent-controller/cloud-port/testing';
import { Secret } from '@agent-controller/kernel';
import { HetznerProvider } from './hetzner.provider';

type Answer = ScriptedStep['answer'];

export const TOKEN = 'hetzner-token-that-nobody-may-see';

export const get = (path: string, answer: Answer, query?: Record<string, string>): ScriptedStep => ({
  method: 'GET',
  path: `/v1${path}`,
  query,
  answer,
});
export const post = (path: string, answer: Answer, body?: unknown): ScriptedStep => ({
  method: 'POST',
  path: `/v1${path}`,
  body,
  answer,
});
export const remove = (path: string, answer: Answer): ScriptedStep => ({
  method: 'DELETE',
  path: `/v1${path}`,
  answer,
});

/** A provider against a scripted Hetzner. After each test the script must have been followed to its end. */
export class HetznerScript {
  http!: ScriptedHttp;
  gate!: RecordingGate;
  provider!: HetznerProvider;

  constructor() {
    afterEach(async () => {
      await this.http.close();
      this.http.done();
    });
  }

  async start(...steps: ScriptedStep[]): Promise<HetznerProvider> {
    this.http = await ScriptedHttp.start(steps);
    this.gate = new RecordingGate();
    const baseUrl = `${this.http.url}/v1`;
    const options = { token: new Secret(TOKEN), baseUrl, timeoutMs: 500, gate: this.gate };
    this.provider = new HetznerProvider(options);
    return this.provider;
  }
}
