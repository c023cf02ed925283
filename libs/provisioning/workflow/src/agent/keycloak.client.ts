import type { AgentCredentials } from '@agent-controller/clients';
import { outboundRequest, type OutboundGuard } from '@agent-controller/outbound';

const TIMEOUT_MS = 10_000;

export type TokenResult =
  | { state: 'token'; accessToken: string }
  /** The server could not be asked: nothing is known of the credentials. */
  | { state: 'unreachable' }
  /** `isCertain`: because of the credentials, and not, say, of a realm that is being moved or of too many questions. */
  | { state: 'refused'; reason: string; isCertain: boolean };

/** Of RFC 6749, 5.2: `invalid_client` and its kin; 403 is Keycloak's own. */
const REFUSALS = [400, 401, 403];

type KeycloakCredentials = Extract<AgentCredentials, { type: 'keycloak' }>;

/** Asks Keycloak for a token by the client-credentials grant (RFC 6749, 4.4). */
export async function requestToken(
  guard: OutboundGuard,
  credentials: KeycloakCredentials,
  signal: AbortSignal,
): Promise<TokenResult> {
  const { authServerUrl, realm, clientId, clientSecret } = credentials;
  const url = `${authServerUrl.replace(/\/+$/, '')}/realms/${encodeURIComponent(realm)}/protocol/openid-connect/token`;
  try {
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
    const answer = await outboundRequest(guard, new URL(url), {
      destination: 'named-by-caller',
      timeoutMs: TIMEOUT_MS,
      signal,
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    });
    if (answer.status >= 500) return { state: 'unreachable' };
    if (answer.status > 299) {
      const reason = `Keycloak refuses the client's credentials (${answer.status})`;
      return { state: 'refused', reason, isCertain: REFUSALS.includes(answer.status) };
    }
    const body = JSON.parse(answer.body) as { access_token?: unknown };
    if (typeof body.access_token !== 'string') {
      return { state: 'refused', reason: 'Keycloak answered without a token', isCertain: false };
    }
    return { state: 'token', accessToken: body.access_token };
  } catch {
    if (signal.aborted) throw new Error('aborted');
    return { state: 'unreachable' };
  }
}
