import { STAGES, type InstallFailure, type Stage, type StatusDocument } from './status-document';

/** Parts of the times that come before a stage ends; what is left of each is its last stage's. */
const DOCKER = 0.6;
const POSTGRES_IMAGE = 0.3;
const POSTGRES = 0.3;
const UPKEEP = 0.1;

/** Stops the bootstrap, as a failing command does. */
export class BootstrapError extends Error {
  override readonly name = 'BootstrapError';

  constructor(readonly failure: InstallFailure) {
    super(`the bootstrap stopped at ${failure.stage}: ${failure.cause}`);
  }

  /** Where the proxy never ran, the server itself says what happened. */
  get isBeforeProxy(): boolean {
    return STAGES.indexOf(this.failure.stage) <= STAGES.indexOf('proxy');
  }
}

/** Goes through the stages of the bootstrap script and reports each, in the order and with the overlaps of the real one. */
export class Bootstrap {
  constructor(
    private readonly document: StatusDocument,
    private readonly failure: InstallFailure | undefined,
    private readonly pause: (ms: number) => Promise<void>,
  ) {}

  /** @throws BootstrapError */
  async install(ms: number, openProxy: () => Promise<void>): Promise<void> {
    this.document.report({ begun: ['docker'] });
    await this.pause(ms * DOCKER);
    this.pass('docker');
    this.document.report({ ended: ['docker'], begun: ['agent-manager-image', 'postgres-image', 'proxy'] });
    await this.pause(ms * (1 - DOCKER));
    this.pass('proxy');
    await openProxy();
    this.document.report({ ended: ['proxy'] });
  }

  /** @throws BootstrapError */
  async start(ms: number, startAgent: () => void): Promise<void> {
    await this.pause(ms * POSTGRES_IMAGE);
    this.pass('postgres-image');
    this.document.report({ ended: ['postgres-image'], begun: ['postgres'] });
    await this.pause(ms * POSTGRES);
    this.pass('postgres');
    this.document.report({ ended: ['postgres'] });
    this.pass('agent-manager-image');
    this.document.report({ ended: ['agent-manager-image'], begun: ['agent-manager'] });
    await this.pause(ms * (1 - POSTGRES_IMAGE - POSTGRES));
    this.pass('agent-manager');
    startAgent();
    this.document.report({ ended: ['agent-manager'], begun: ['upkeep'] });
    await this.pause(ms * UPKEEP);
    this.pass('upkeep');
    this.document.report({ ended: ['upkeep'], finished: true });
  }

  private pass(stage: Stage): void {
    if (this.failure?.stage === stage) throw new BootstrapError(this.failure);
  }
}
