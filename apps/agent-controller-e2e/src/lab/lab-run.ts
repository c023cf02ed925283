import type { ProvisionedClientView, ProvisioningEventView, ProvisioningInfoView } from '@agent-controller/contracts';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Controller } from '../support/controller-process';
import { emulatorUrl } from '../support/emulator-admin';
import { info, provision } from '../support/provision';
import { until } from '../support/until';
import { labAdmin, type VmOptions } from './lab-admin';
import { Shell } from './shell';

/** Software emulation on a busy machine. */
const LIMIT_MS = 1_000_000;
/** Characters of what is found out of a machine that go to the test's output; all of it is in the results. */
const MAX_SHOWN = 12_000;
const EXAMINE = [
  'uptime',
  'cloud-init status --long',
  'systemctl list-jobs --no-pager',
  'ps -eo pid,etimes,stat,wchan:20,args --sort=start_time | grep -v "\\[.*\\]$"',
  'ss -tnp',
  'tail -n 40 /var/log/cloud-init-output.log',
  'journalctl --no-pager -n 40',
];

/** Orders a server as it is wanted. */
export async function order(
  controller: Controller,
  options: VmOptions,
  changes: Record<string, unknown> = {},
): Promise<ProvisionedClientView> {
  await labAdmin.expect(options);
  const started = await provision(controller.api, changes);
  if (started.status !== 202) throw new Error(`Refused: ${JSON.stringify(started.body)}`);
  return started.body;
}

/** Ready, or failed. */
export function untilSettled({ api }: Controller, id: string): Promise<ProvisioningInfoView> {
  return until(
    () => info(api, id),
    ({ phase }) => phase === 'ready' || phase === 'failed',
    LIMIT_MS,
  );
}

export async function shellOf({ serverId }: ProvisioningInfoView): Promise<Shell> {
  return new Shell(await labAdmin.machine(serverId ?? ''));
}

/** Deletes through the controller, and looks that process and disk are gone. */
export async function expectGone({ api }: Controller, { clientId, serverId }: ProvisioningInfoView): Promise<void> {
  const machine = await labAdmin.machine(serverId ?? '');
  expect(machine.isRunning).toBe(true);
  const gone = await api.delete(`/api/clients/${clientId}/provisioning`, { prefer: 'wait=60' });
  expect(gone.status).toBe(204);
  await until(
    async () => existsSync(`/proc/${machine.pid}`) || existsSync(machine.folder),
    (isThere) => !isThere,
  );
}

/**
 * Ready, or failed. A machine that never said a word, and on which nobody can look either, hangs: software emulation does
 * so now and then (docs/boot-lab.md). Then a new one is made in its place, as a caller would ask for it: once.
 */
export async function untilUp(
  controller: Controller,
  id: string,
  { name, options }: { name: string; options: VmOptions },
): Promise<ProvisioningInfoView> {
  const seen = await untilSettled(controller, id);
  if (!(await keepTimings(controller, seen, name)).hangs) return seen;
  await labAdmin.expect(options);
  const retried = await controller.api.post(`/api/clients/${seen.clientId}/provisioning/retry`);
  if (retried.status !== 202) throw new Error(`No retry: ${retried.status}`);
  const again = await untilSettled(controller, id);
  await keepTimings(controller, again, `${name}-again`);
  return again;
}

/**
 * Writes how long each stage took, and says so; of a server that did not say itself what went wrong, what is found on it.
 * @returns `hangs`: nobody can look, and the server has never said anything
 */
export async function keepTimings(
  { api }: Controller,
  seen: ProvisioningInfoView,
  name: string,
): Promise<{ hangs: boolean }> {
  const { body } = await api.get<ProvisioningEventView[]>(`/api/clients/${seen.clientId}/provisioning/events`);
  const ordered = Date.parse(seen.createdAt);
  const seconds = (time: string) => Math.round((Date.parse(time) - ordered) / 100) / 10;
  const stages = (seen.stages ?? []).map(({ name: stage, startedAt, endedAt }) => ({
    stage,
    began: seconds(startedAt),
    ended: endedAt && seconds(endedAt),
  }));
  const phases = Object.entries(seen.phaseTimes).map(([phase, at]) => ({ phase, began: seconds(at) }));
  const timings = { name, phase: seen.phase, message: seen.message, lastError: seen.lastError, phases, stages };
  const folder = process.env.BOOT_LAB_RESULTS ?? '.test-results/boot-lab';
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ ...timings, events: body }, null, 2)}\n`);
  process.stderr.write(`${JSON.stringify(timings)}\n`);
  if (seen.phase === 'ready' || seen.lastError?.code === 'installation-failed') return { hangs: false };
  const { canLook, found } = await examine(seen);
  writeFileSync(join(folder, `${name}.log`), found);
  process.stderr.write(`${found.slice(-MAX_SHOWN)}\n`);
  return { hangs: !canLook && stages.length === 0 };
}

/** What a machine's console and its own tools say; its log is gone with it. */
async function examine({ serverId }: ProvisioningInfoView): Promise<{ canLook: boolean; found: string }> {
  const machine = await labAdmin.machine(serverId ?? '');
  const asked = await new Shell(machine).run(`${EXAMINE.join('; ')}; true`).then(
    (text) => ({ canLook: true, text }),
    (error: Error) => ({ canLook: false, text: error.message }),
  );
  const said = readFileSync(machine.console, 'utf8');
  const found = `--- console of ${machine.id} (running: ${machine.isRunning})\n${said}\n--- asked by SSH\n${asked.text}`;
  return { canLook: asked.canLook, found };
}

/** A client's own token, as any caller of its agent-manager gets one. */
export async function keycloakToken(client: {
  keycloakRealm: string;
  keycloakClientId: string;
  keycloakClientSecret: string;
}): Promise<string> {
  const answer = await fetch(`${emulatorUrl()}/keycloak/realms/${client.keycloakRealm}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client.keycloakClientId,
      client_secret: client.keycloakClientSecret,
    }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}
