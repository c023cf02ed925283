/** How callers prove themselves to one agent-manager. Kept sealed. */
export type AgentCredentials =
  | { type: 'api_key'; apiKey: string }
  | { type: 'keycloak'; authServerUrl: string; realm: string; clientId: string; clientSecret: string };
