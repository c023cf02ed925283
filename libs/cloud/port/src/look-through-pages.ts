import type { CloudServer, Look, WaitingServer } from './cloud-provider';
import { unlessGone } from './not-found';

/** Where waiting servers can be seen. */
export interface LookSource {
  /** @throws CloudError `not-found` */
  get(serverId: string): Promise<CloudServer>;
  /** A list that has them; one request for each page. */
  pages: AsyncIterable<CloudServer[]>;
  /** Whether the list begins with the newest: what is older than its page's end is still to come. */
  isNewestFirst: boolean;
  /** Up to this many are asked for by id from the beginning. */
  byIdUpTo: number;
}

/**
 * Reads pages until all were seen or cannot come any more. Once as many pages were read as servers are left, these are
 * asked for by id: so a look costs at most twice of the cheaper way, however long the list is.
 */
export async function lookThroughPages(waiting: readonly WaitingServer[], source: LookSource): Promise<Look> {
  if (waiting.length <= source.byIdUpTo) return lookById(waiting, source);
  const left = new Map(waiting.map((each) => [each.serverId, each]));
  const servers: CloudServer[] = [];
  let requests = 0;
  for await (const page of source.pages) {
    requests += 1;
    servers.push(...page.filter(({ id }) => left.delete(id)));
    const end = page.at(-1)?.createdAt;
    if (source.isNewestFirst && end) {
      for (const { serverId, createdAt } of left.values()) if (createdAt > end) left.delete(serverId);
    }
    if (left.size === 0) break;
    if (requests < left.size) continue;
    const rest = await lookById([...left.values()], source);
    return { servers: [...servers, ...rest.servers], requests: requests + rest.requests };
  }
  return { servers, requests };
}

async function lookById(waiting: readonly WaitingServer[], { get }: LookSource): Promise<Look> {
  const seen = await Promise.all(waiting.map(({ serverId }) => unlessGone(get(serverId))));
  return { servers: seen.filter((server) => server !== null), requests: waiting.length };
}
