import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { posix } from 'node:path';
import type { AgentManager } from './agent-manager';
import type { SiteRoute } from './deployment';

/** What a site's routes lead to. */
export interface SiteTargets {
  /** Null while it does not answer. */
  agent(): AgentManager | null;
  /** Of the server, by absolute path. */
  readFile(path: string): Buffer | null;
}

/** Answers as Caddy does with these routes. */
export function siteHandler(routes: SiteRoute[], { agent, readFile }: SiteTargets): RequestListener {
  return (request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?');
    const route = routes.find((each) => each.path === null || each.path === path);
    // Caddy has nothing to say where no route fits.
    if (!route) return void response.writeHead(200).end();
    if (route.kind === 'files') return answerFile(route, path, { request, response, readFile });
    const upstream = route.kind === 'none' ? null : agent();
    if (!upstream) return void response.writeHead(502).end();
    if (route.kind === 'api') return upstream.handle(request, response);
    response.writeHead(200, { 'content-type': 'text/plain' }).end('0{"sid":"emulated","upgrades":[]}');
  };
}

interface FileCall {
  request: IncomingMessage;
  response: ServerResponse;
  readFile: SiteTargets['readFile'];
}

function answerFile(
  { folder, rewrite, headers }: Extract<SiteRoute, { kind: 'files' }>,
  path: string,
  { request, response, readFile }: FileCall,
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (!/^(GET|HEAD)$/.test(request.method ?? '')) return void response.writeHead(405, { allow: 'GET, HEAD' }).end();
  const content = folder === null ? null : readFile(posix.join(folder, posix.resolve('/', rewrite ?? path)));
  if (content === null) return void response.writeHead(404).end();
  const type = posix.extname(rewrite ?? path) === '.json' ? 'application/json' : 'application/octet-stream';
  response.writeHead(200, { 'content-type': type, 'content-length': content.length });
  response.end(request.method === 'HEAD' ? undefined : content);
}
