import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

/** A container registry that only reads: `/v2/`, manifests and blobs, as far as `docker pull` asks. No token is wanted. */
export function answerAsRegistry(
  folder: string,
  path: string,
  { method }: IncomingMessage,
  response: ServerResponse,
): void {
  if (path === '/v2/' || path === '/v2') return void response.writeHead(200).end('{}');
  const [, repository = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([\w:.-]+)$/.exec(path) ?? [];
  if (kind === 'blobs') return sendBlob(join(folder, 'blobs', reference), reference, response);
  const manifest = readManifest(join(folder, repository), reference);
  if (kind === undefined || manifest === undefined) {
    const errors = [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }];
    return void response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ errors }));
  }
  const headers = {
    'content-type': MANIFEST,
    'content-length': manifest.length,
    'docker-content-digest': digestOf(manifest),
  };
  response.writeHead(200, headers).end(method === 'HEAD' ? undefined : manifest);
}

function sendBlob(file: string, digest: string, response: ServerResponse): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) return void response.writeHead(404).end();
  response.writeHead(200, { 'content-length': found.size, 'docker-content-digest': digest });
  createReadStream(file).pipe(response);
}

/** By tag, or by the digest of what the tag leads to. */
function readManifest(folder: string, reference: string): Buffer | undefined {
  const byDigest = reference.startsWith('sha256:');
  for (const tag of byDigest ? ['latest', '16-alpine', '2-alpine', '1'] : [reference]) {
    const file = join(folder, 'manifests', tag);
    if (!statSync(file, { throwIfNoEntry: false })) continue;
    const manifest = readFileSync(file);
    if (!byDigest || digestOf(manifest) === reference) return manifest;
  }
  return undefined;
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
