export const AGENT_MANAGER_FOLDER = '/opt/agent-manager';
