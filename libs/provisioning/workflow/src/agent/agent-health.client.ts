import type { AgentConfig, AgentCredentials } from '@agent-controller/clients';
import { OutboundGuard } from '@agent-controller/outbound';
import { STATUS_PATH } from '@agent-controller/provisioning-bootstrap';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { parseServerReport, type ServerReport } from '../reports/server-report';
import { storableText } from '../reports/storable-text';
import { AgentHealth, type AgentCheck, type AgentLook, type ProxyAnswer } from './agent-health';
import { readable, visitAgent, type AgentAnswer, type AgentVisit } from './agent-http.client';
import type { AgentTarget } from './agent-target';
import { requestToken, type TokenResult } from './keycloak.client';

const HEALTH = '/api/health';
const CONFIG = '/api/config';

const text = z.string().transform(storableText);
const configSchema = z.object({
  gitRepositoryUrl: text.nullish(),
  agentTypes: z.array(text).default([]),
});

/** The real thing: HTTPS to the server's proxy. */
@Injectable()
export class AgentHealthClient extends AgentHealth {
  constructor(private readonly guard: OutboundGuard) {
    super();
  }

  override async look(
    target: AgentTarget,
    signal: AbortSignal,
    credentialsFor: (report: ServerReport | null) => AgentCredentials | null = () => null,
  ): Promise<ProxyAnswer> {
    try {
      return await this.visit(target, signal, async (visit) => {
        const { status, body } = await visit.get(STATUS_PATH);
        const report = status === 200 ? parseReport(body) : null;
        const credentials = credentialsFor(report);
        return { state: 'answers', report, check: credentials && (await this.checkOn(visit, credentials, signal)) };
      });
    } catch (error) {
      return { state: 'silent', reason: `The server's proxy does not answer yet: ${(error as Error).message}` };
    }
  }

  override async check(target: AgentTarget, credentials: AgentCredentials, signal: AbortSignal): Promise<AgentCheck> {
    try {
      return await this.visit(target, signal, (visit) => this.checkAll(visit, credentials, signal));
    } catch (error) {
      return noAnswer(error);
    }
  }

  override async recheck(target: AgentTarget, credentials: AgentCredentials, signal: AbortSignal): Promise<AgentLook> {
    try {
      return await this.visit(target, signal, (visit) => this.recheckAll(visit, credentials, signal));
    } catch (error) {
      return unreachable((error as Error).message);
    }
  }

  /** Whatever goes wrong: the proxy has answered. */
  private async checkOn(visit: AgentVisit, credentials: AgentCredentials, signal: AbortSignal): Promise<AgentCheck> {
    try {
      return await this.checkAll(visit, credentials, signal);
    } catch (error) {
      return noAnswer(readable(error as Error));
    }
  }

  private async checkAll(visit: AgentVisit, credentials: AgentCredentials, signal: AbortSignal): Promise<AgentCheck> {
    const health = await visit.get(HEALTH);
    if (!isAlive(health)) return notReady(`${HEALTH} answers ${health.status}`);
    const stranger = await visit.get(CONFIG);
    if (!isRefusal(stranger)) {
      return notReady(`${CONFIG} answers ${stranger.status} to a caller without credentials, not 401`);
    }
    const token = await this.bearer(credentials, signal);
    if (token.state === 'refused') return notReady(token.reason);
    if (token.state === 'unreachable') return { state: 'ready', config: null, warnings: ['credentials-unverified'] };
    const ours = await visit.get(CONFIG, `Bearer ${token.accessToken}`);
    if (ours.status !== 200) return notReady(`${CONFIG} answers ${ours.status} to our credentials`);
    const config = parseConfig(ours.body);
    // A parser's message would quote what came: the answer may hold anything.
    return config ? { state: 'ready', config, warnings: [] } : notReady(`${CONFIG} answers no configuration`);
  }

  private async recheckAll(visit: AgentVisit, credentials: AgentCredentials, signal: AbortSignal): Promise<AgentLook> {
    const health = await visit.get(HEALTH);
    if (!isAlive(health)) return unreachable(`${HEALTH} answers ${health.status}`);
    const token = await this.bearer(credentials, signal);
    if (token.state === 'refused' && token.isCertain) return { state: 'credentials-refused', reason: token.reason };
    if (token.state !== 'token') return { state: 'unverified' };
    const config = await visit.get(CONFIG, `Bearer ${token.accessToken}`);
    if (config.status === 200) return { state: 'healthy' };
    if (config.status === 429) return { state: 'unverified' };
    const reason = `${CONFIG} answers ${config.status} to our credentials`;
    return isRefusal(config) ? { state: 'credentials-refused', reason } : unreachable(reason);
  }

  private visit<T>(target: AgentTarget, signal: AbortSignal, work: (visit: AgentVisit) => Promise<T>): Promise<T> {
    return visitAgent(this.guard, target, signal, work);
  }

  private async bearer(credentials: AgentCredentials, signal: AbortSignal): Promise<TokenResult> {
    if (credentials.type === 'keycloak') return requestToken(this.guard, credentials, signal);
    return { state: 'token', accessToken: credentials.apiKey };
  }
}

/** 429 comes from the agent-manager itself. */
function isAlive({ status }: AgentAnswer): boolean {
  return status === 200 || status === 429;
}

function isRefusal({ status }: AgentAnswer): boolean {
  return status === 401 || status === 403;
}

function parseConfig(body: string): AgentConfig | null {
  try {
    const { gitRepositoryUrl, agentTypes } = configSchema.parse(JSON.parse(body));
    return { gitRepositoryUrl: gitRepositoryUrl ?? null, agentTypes };
  } catch {
    return null;
  }
}

function parseReport(body: string): ServerReport | null {
  try {
    return parseServerReport(JSON.parse(body));
  } catch {
    return null;
  }
}

function unreachable(reason: string): AgentLook {
  return { state: 'unreachable', reason };
}

function noAnswer(error: unknown): AgentCheck {
  return notReady(`The agent-manager does not answer: ${(error as Error).message}`);
}

function notReady(reason: string): AgentCheck {
  return { state: 'not-ready', reason };
}
