import { RecordingGate, ScriptedHttp, type ScriptedStep } from '@agent-controller/cloud-port/testing';
import { Secret } from '@agent-controller/kernel';
import { DigitalOceanProvider } from './digital-ocean.provider';

type Answer = ScriptedStep['answer'];

export const TOKEN = 'digital-ocean-token-that-nobody-may-see';

export const get = (path: string, answer: Answer, query?: Record<string, string>): ScriptedStep => ({
  method: 'GET',
  path: `/v2${path}`,
  query,
  answer,
});
export const post = (path: string, answer: Answer, body?: unknown): ScriptedStep => ({
  method: 'POST',
  path: `/v2${path}`,
  body,
  answer,
});
export const remove = (path: string, answer: Answer, query?: Record<string, string>): ScriptedStep => ({
  method: 'DELETE',
  path: `/v2${path}`,
  query,
  answer,
});

/** A provider against a scripted DigitalOcean. After each test the script must have been followed to its end. */
export class DigitalOceanScript {
  http!: ScriptedHttp;
  gate!: RecordingGate;

  constructor() {
    afterEach(async () => {
      await this.http.close();
      this.http.done();
    });
  }

  async start(...steps: ScriptedStep[]): Promise<DigitalOceanProvider> {
    this.http = await ScriptedHttp.start(steps);
    this.gate = new RecordingGate();
    const baseUrl = `${this.http.url}/v2`;
    return new DigitalOceanProvider({ token: new Secret(TOKEN), baseUrl, timeoutMs: 500, gate: this.gate });
  }
}
