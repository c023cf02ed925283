import {
  agentLooked,
  filesAsked,
  jobEnded,
  phaseEnded,
  providerRequestEnded,
  serversObserved,
  streamChanged,
  sweepEnded,
  waitingAgentLooked,
  type ProviderBudgets,
} from '@agent-controller/provisioning-workflow';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const PHASE_BUCKETS = [1, 2, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200];
const REQUEST_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const LAG_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 3, 5, 10, 30, 60];
const JOB_BUCKETS = [0.01, 0.05, 0.25, 1, 5, 15, 60];

/** What this controller does: from its signals. */
export class WorkMetrics {
  constructor(
    private readonly registry: Registry,
    private readonly budgets: Pick<ProviderBudgets, 'counts'>,
  ) {}

  /** @returns what ends the counting */
  listen(): (() => void)[] {
    this.addRequestCounts();
    return [...this.provisionings(), ...this.jobs(), ...this.looks(), ...this.rest()];
  }

  private provisionings(): (() => void)[] {
    const phases = this.histogram(
      'provisioning_phase_duration_seconds',
      'How long provisionings were in a phase, by where they went from there; `gone` after a deletion.',
      ['provider', 'phase', 'to'],
      PHASE_BUCKETS,
    );
    const all = this.histogram(
      'provisioning_duration_seconds',
      'From the order to ready, where no retry was needed.',
      ['provider'],
      PHASE_BUCKETS,
    );
    const requests = this.histogram(
      'provider_request_duration_seconds',
      'Requests of this controller to a provider by kind and status of the answer; without one, why.',
      ['provider', 'kind', 'status'],
      REQUEST_BUCKETS,
    );
    return [
      phaseEnded.listen(({ seconds, sinceOrder, provider, phase, to }) => {
        phases.observe({ provider, phase, to }, Math.max(0, seconds));
        if (sinceOrder !== null) all.observe({ provider }, Math.max(0, sinceOrder));
      }),
      providerRequestEnded.listen(({ provider, purpose: kind, status, seconds }) =>
        requests.observe({ provider, kind, status }, seconds),
      ),
    ];
  }

  private jobs(): (() => void)[] {
    const durations = this.histogram(
      'job_duration_seconds',
      'How long jobs of this controller ran, by how they ended.',
      ['task', 'result'],
      JOB_BUCKETS,
    );
    const lags = this.histogram(
      'job_lag_seconds',
      'How long after they were due jobs began on this controller.',
      ['task'],
      LAG_BUCKETS,
    );
    return [
      jobEnded.listen(({ task, result, lateSeconds, seconds }) => {
        durations.observe({ task, result }, seconds);
        lags.observe({ task }, lateSeconds);
      }),
    ];
  }

  private looks(): (() => void)[] {
    const looks = this.counter('observer_looks_total', 'Looks at the waiting servers of a provider.', [
      'provider',
      'result',
    ]);
    const lags = this.histogram(
      'observer_lag_seconds',
      'How long after the planned time a look of this controller at the waiting servers of a provider began.',
      ['provider'],
      LAG_BUCKETS,
    );
    const last = this.gauge(
      'observer_last_look_timestamp_seconds',
      'When this controller last saw the waiting servers of a provider.',
      ['provider'],
    );
    const waiting = this.gauge('observer_waiting_servers', 'Servers that waited at the last look.', ['provider']);
    const installing = this.histogram(
      'waiting_agent_look_duration_seconds',
      'Looks of this controller at servers that are being installed, by what they saw.',
      ['phase', 'result'],
      REQUEST_BUCKETS,
    );
    const agents = this.histogram(
      'agent_look_duration_seconds',
      'Looks of this controller at ready agent-managers, by what they saw.',
      ['result'],
      REQUEST_BUCKETS,
    );
    return [
      serversObserved.listen(({ provider, result, servers, lateSeconds }) => {
        if (lateSeconds !== null) lags.observe({ provider }, lateSeconds);
        looks.inc({ provider, result });
        waiting.set({ provider }, servers);
        if (result === 'seen') last.set({ provider }, Date.now() / 1000);
      }),
      waitingAgentLooked.listen(({ phase, result, seconds }) => installing.observe({ phase, result }, seconds)),
      agentLooked.listen(({ result, seconds }) => agents.observe({ result }, seconds)),
    ];
  }

  private rest(): (() => void)[] {
    const sweeps = this.counter('sweeps_total', 'Sweeps of this controller by how they ended.', ['provider', 'result']);
    const files = this.counter('bootstrap_redemptions_total', 'Questions of servers for their secret files.', [
      'result',
    ]);
    const streams = this.gauge('event_streams_open', 'Streams of events that are open on this controller.', []);
    return [
      sweepEnded.listen((labels) => sweeps.inc(labels)),
      filesAsked.listen((labels) => files.inc(labels)),
      streamChanged.listen(({ by }) => streams.inc(by)),
    ];
  }

  private addRequestCounts(): void {
    const requests: Counter = new Counter({
      name: 'provider_requests_total',
      help: 'Requests of this controller to a provider by how they ended; held-back ones were not sent.',
      labelNames: ['provider', 'outcome'],
      registers: [this.registry],
      collect: () => {
        requests.reset();
        for (const { type, outcome, count } of this.budgets.counts()) requests.inc({ provider: type, outcome }, count);
      },
    });
  }

  private histogram(name: string, help: string, labelNames: string[], buckets: number[]): Histogram {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] });
  }

  private counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }
}
