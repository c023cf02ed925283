import type { Settings } from '../settings';
import type { AgentState } from './agent-manager';
import type { CallbackMode, ReportRecord } from './callback-reporter';
import type { WrittenFile } from './cloud-init';
import type { Deployment } from './deployment';
import type { RedemptionMode } from './secrets-fetcher';
import type { InstallFailure, StatusView } from './status-document';

export interface ServerOrder {
  userData: string;
  acceptsBase64: boolean;
  address: string;
  /** The provider says that it runs, but nothing on it ever answers. */
  bootFails: boolean;
  /** It boots, and its bootstrap stops at a stage. */
  installFailure?: InstallFailure;
  /** What becomes of its reports on their way to the controller. */
  callbacks?: CallbackMode;
  /** What becomes of its requests for its secret files. */
  redemption?: RedemptionMode;
  /** Its secret files, once it has fetched them: they outlast a reboot. */
  fetchedFiles?: { path: string; permissions: string; content: string }[];
}

export type Life = 'booting' | 'running' | 'deleting';

export interface MachineTimes {
  /** Since when the provider says "running". */
  runningAt: Date | null;
  /** Since when the agent-manager answers. */
  answersAt: Date | null;
}

/** What stands behind a server of a provider: played by this process, or a virtual machine. */
export interface Machine {
  readonly order: ServerOrder;
  readonly life: Life;
  /** What a person would find on the machine; null while nothing is wrong. */
  readonly problem: string | null;
  readonly stage: 'boot' | 'install' | 'proxy' | 'agent';
  /** Life, stage and problem in one word. */
  readonly phase: 'booting' | 'installing' | 'starting' | 'healthy' | 'broken' | 'deleting';
  /** Files of the user data. */
  readonly files: WrittenFile[];
  /** What the user data makes of the server, or null while that is not known. */
  readonly deployment: Deployment | null;
  /** What is asked at one of its ports, and where that is answered. */
  readonly endpoints: Record<number, string>;
  /** How its agent-manager is to behave once it is up. */
  agentState: AgentState;
  /** What it says of how far it is; null before it does. */
  readonly status: StatusView | null;
  /** What it sent to the controller, and what became of it. */
  readonly reports: ReportRecord[];
  /** When it was seen by nobody but itself; null before, and where that is not known. */
  readonly times?: MachineTimes;
  start(settings: Settings): void;
  /** Ends it, and removes what it kept. */
  stop(): Promise<void>;
}
