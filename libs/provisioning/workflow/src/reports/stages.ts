/** Percent done when a stage of the server's set-up begins, what is being done, and what is done at its end. */
const STAGES: Record<string, { progress: number; doing: string; done: string }> = {
  boot: { progress: 35, doing: 'The server boots', done: 'The server booted' },
  secrets: { progress: 40, doing: 'The server fetches its secret files', done: 'The server has its secret files' },
  docker: { progress: 45, doing: 'Docker is being installed', done: 'Docker runs' },
  proxy: { progress: 55, doing: 'The proxy is being started', done: 'The proxy runs' },
  'postgres-image': {
    progress: 60,
    doing: "PostgreSQL's image is being pulled",
    done: "PostgreSQL's image was pulled",
  },
  'agent-manager-image': {
    progress: 60,
    doing: "The agent-manager's image is being pulled",
    done: "The agent-manager's image was pulled",
  },
  postgres: { progress: 75, doing: 'PostgreSQL starts', done: 'PostgreSQL is healthy' },
  'agent-manager': { progress: 85, doing: 'The agent-manager starts', done: 'The agent-manager answers' },
  upkeep: { progress: 95, doing: 'Updates are being set up', done: 'Updates are set up' },
};

/** A stage that this version does not know is named as the server names it. */
export function stageDisplay(name: string): { progress: number; doing: string; done: string } {
  return STAGES[name] ?? { progress: 0, doing: `The server is at "${name}"`, done: `"${name}" is done` };
}
