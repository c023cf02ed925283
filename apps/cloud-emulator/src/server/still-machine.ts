import type { Machine, ServerOrder } from './machine';

/** A server that runs, and on which nothing ever answers: thousands of them cost next to nothing. */
export class StillMachine implements Machine {
  life: Machine['life'] = 'running';
  readonly problem = null;
  readonly stage = 'agent';
  readonly phase = 'healthy';
  readonly files = [];
  readonly deployment = null;
  readonly endpoints = {};
  agentState: Machine['agentState'] = 'down';
  readonly status = null;
  readonly reports = [];

  constructor(readonly order: ServerOrder) {}

  start(): void {}

  async stop(): Promise<void> {
    this.life = 'deleting';
  }
}
