import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

// From the source: the build has no copy of it.
const PROGRAM = join(__dirname, 'openid-provider.program.mjs').replace(/\/dist\/libs\//, '/libs/');
const SECRET = 'the-secret-of-every-client';

export const AUDIENCE = 'agent-controller';

interface SigningKey {
  privateKey: CryptoKey;
  privateJwk: JWK;
}

/** A real OpenID provider over HTTP, with clients that are given the claims that a test wants. */
export class OpenIdProvider {
  #child: ChildProcess | null = null;
  #key!: SigningKey;
  #port = 0;
  issuer = '';

  private constructor(private readonly clients: Record<string, JWTPayload>) {}

  /** @param clients further claims of each client's tokens, by the client's id */
  static async start(clients: Record<string, JWTPayload>): Promise<OpenIdProvider> {
    const provider = new OpenIdProvider(clients);
    await provider.rotate();
    return provider;
  }

  /** Starts anew at the same address, with another key. */
  async rotate(alg = 'RS256', kid = `key-${Math.random()}`): Promise<void> {
    await this.stop();
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    const privateJwk = { ...(await exportJWK(privateKey)), kid, alg, use: 'sig' };
    this.#key = { privateKey, privateJwk };
    await this.restart();
  }

  /** Starts anew at the same address, with the same key. */
  async restart(): Promise<void> {
    await this.stop();
    const options = { port: this.#port, keys: [this.#key.privateJwk], audience: AUDIENCE, clients: this.clients };
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    const errors: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
    this.issuer = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const found = /^listening (\S+)/.exec(line)?.[1];
        if (found) resolve(found);
      });
      child.once('exit', (code) => reject(new Error(`The provider ended with code ${code}: ${errors.join('')}`)));
    });
    this.#port = Number(new URL(this.issuer).port);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Connections are taken, and nothing is ever answered. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  get kid(): string {
    return this.#key.privateJwk.kid ?? '';
  }

  /** The public half of its key, as everybody can get it. */
  async publicJwk(): Promise<JWK> {
    const response = await fetch(`${this.issuer}/jwks`);
    return ((await response.json()) as { keys: JWK[] }).keys[0] ?? {};
  }

  /** An access token as the provider gives it to a client. */
  async token(client: string, resource = 'urn:default'): Promise<string> {
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${client}:${SECRET}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope: 'api' }),
    });
    const body = (await response.json()) as { access_token?: string };
    if (!body.access_token) throw new Error(`No token: ${JSON.stringify(body)}`);
    return body.access_token;
  }

  /** An access token of somebody who logged in with a browser. */
  async logIn(): Promise<string> {
    const response = await fetch(`${this.issuer}/test/log-in`);
    return ((await response.json()) as { token: string }).token;
  }

  /** Ends what everybody's log-in has led to. */
  async endSessions(): Promise<void> {
    await fetch(`${this.issuer}/test/end-sessions`);
  }

  /** A token with the provider's own key, and claims that it would not write. */
  sign(claims: JWTPayload, header: Record<string, string> = {}): Promise<string> {
    const { alg = '' } = this.#key.privateJwk;
    return new SignJWT(claims).setProtectedHeader({ alg, kid: this.kid, ...header }).sign(this.#key.privateKey);
  }
}
