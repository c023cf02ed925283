import { lastingViolations } from '../invariant/lasting-violations';
import { ActionPlayer, type Stage } from './action-player';
import type { Action } from './explore-action';
import { heal, isSettled, quiesce } from './healing';
import { Ledger } from './ledger';

const HEALED_ROUNDS = 3;
let runs = 0;

/**
 * Plays the actions, takes all trouble away, and checks what is left: the invariant, that every answer was true, and
 * that all can be deleted. Leaves the installation empty.
 * @throws Error that says what is wrong
 */
export async function exploreRun(stage: Stage, actions: Action[]): Promise<void> {
  const ledger = new Ledger();
  const player = new ActionPlayer(stage, ledger, `run${process.pid}x${++runs}`);
  await heal(stage);
  for (const action of actions) await player.play(action);
  await player.settle();
  await heal(stage);
  await player.settle();
  await quiesce(stage, isSettled);
  const problems = await problemsOf(stage, ledger);
  await deleteAll(stage, ledger);
  problems.push(...(await problemsAtTheEnd(stage)));
  await forget(stage);
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

async function problemsOf(stage: Stage, ledger: Ledger): Promise<string[]> {
  const { removedByHand } = ledger;
  const found = await lastingViolations(stage, { removedByHand });
  return [...ledger.problems, ...ledger.contradictions(), ...found, ...(await untruths(stage, ledger))];
}

interface ToldRow {
  id: string;
  provisioningId: string;
  phase: string;
  intent: string;
  serverId: string | null;
}

/** Answers that did not come true. */
async function untruths({ installation }: Stage, ledger: Ledger): Promise<string[]> {
  const rows = await installation.query<ToldRow>(
    `SELECT client_id AS id, id AS "provisioningId", phase, intent, server_id AS "serverId" FROM provisioning_references`,
  );
  const buried = await installation.query<{ id: string }>('SELECT client_id AS id FROM provisioning_tombstones');
  const servers = await installation.emulator.servers();
  const problems: string[] = [];
  const known = ledger.knownIds();
  for (const id of known) {
    const row = rows.find((each) => each.id === id);
    const isBuried = buried.some((each) => each.id === id);
    if (!row && !isBuried) problems.push(`client ${id} was accepted, and there is no trace of it`);
    if (!row && !ledger.isDeletionAsked(id)) problems.push(`client ${id} is gone, and nobody asked for that`);
    if (row && ledger.isDeleted(id) && row.intent !== 'absent') {
      problems.push(`the deletion of client ${id} was accepted, and is forgotten`);
    }
    if (row?.phase !== 'ready') continue;
    const told = ledger.orders.flatMap(({ answers }) => answers.find((answer) => answer.id === id)?.apiKey ?? []);
    const key = servers.find((server) => server.id === row.serverId)?.agentEnvironment?.['STATIC_API_KEY'];
    if (key !== undefined && told.some((each) => each !== key)) {
      problems.push(`the API key that was told of client ${id} is not the one of its agent-manager`);
    }
  }
  const made = rows.length + buried.length;
  if (made > known.length + ledger.untold()) {
    problems.push(`${made} clients were made of ${known.length} accepted and ${ledger.untold()} unanswered orders`);
  }
  return problems;
}

/** What a person would do at the end: delete everything, with the token of the project where it is. */
async function deleteAll(stage: Stage, ledger: Ledger): Promise<void> {
  const { installation, fleet } = stage;
  for (let round = 0; ; round++) {
    const rows = await installation.query<{ id: string; error: string | null }>(
      'SELECT client_id AS id, last_error::text AS error FROM provisioning_references',
    );
    if (rows.length === 0) return;
    if (round > HEALED_ROUNDS) throw new Error(`Cannot be deleted: ${JSON.stringify(rows)}`);
    // What was ordered while the token saw another project is found and deleted there.
    await installation.emulator.setToken('elsewhere', round % 2 === 1);
    for (const { id } of rows) {
      const answer = await fleet.api(round)?.delete(`/api/clients/${id}/provisioning`);
      if (answer?.status !== 202) ledger.problems.push(`the last deletion of ${id} was answered ${answer?.status}`);
    }
    await quiesce(stage, (open) => open.every(({ phase }) => phase === 'failed'));
  }
}

async function problemsAtTheEnd(stage: Stage): Promise<string[]> {
  const { installation } = stage;
  await installation.emulator.setToken('elsewhere', false);
  const found = await lastingViolations(stage);
  const left = (await installation.emulator.servers()).filter(({ life }) => life !== 'deleting');
  return [...found, ...left.map(({ id, name }) => `server ${name} (${id}) is left when everything was deleted`)];
}

/** The next run shall not meet the tombstones of this one, nor their history. */
async function forget({ installation }: Stage): Promise<void> {
  await installation.query('DELETE FROM provisioning_events');
  await installation.query('DELETE FROM provisioning_tombstones');
  await installation.query('DELETE FROM idempotency_keys');
}
