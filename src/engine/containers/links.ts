import type { ContainerContext } from '../../container/context.ts';
import type { ListedContainer } from '../../container/list.ts';
import { resolveContainer } from '../../container/resolve.ts';
import { HealthctlError, hasCode, messageOf } from '../../lib/errors.ts';
import { containerNameOf } from '../../record/container-name.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import { type Details, detailsOf } from '../../record/details.ts';
import { linkById } from '../../record/endpoint-config.ts';
import { storedConfigOf } from '../../record/stored-config.ts';
import { EngineError } from '../errors.ts';
import { parseLink } from './network-request.ts';

/*
 * Links of the default network. They name their container by its id, so that they outlive a rename. To the API such a
 * container has a further name, `web/db`.
 */

/**
 * A request on the default network with its links.
 *
 * @param texts `HostConfig.Links`
 * @throws EngineError 400 in Docker's words for a link to what is missing, or is on the host's network
 */
export async function withLinks(
  ctx: ContainerContext,
  request: CreateRequest,
  { texts, signal }: { readonly texts: readonly string[]; readonly signal: AbortSignal },
): Promise<CreateRequest> {
  if (texts.length === 0) return request;
  const links: string[] = [];
  for (const text of texts) {
    const { name, alias } = parseLink(text);
    links.push(`${await linkedId(ctx, name, signal)}:${alias}`);
  }
  const { networking, network } = request;
  const endpoints = networking.endpoints.map((endpoint) =>
    endpoint.network === network ? { ...endpoint, links: [...endpoint.links, ...links] } : endpoint,
  );
  return { ...request, networking: { ...networking, endpoints } };
}

async function linkedId(ctx: ContainerContext, name: string, signal: AbortSignal): Promise<string> {
  const linked = await resolveContainer(ctx.containerd, name, { signal }).catch((cause: unknown) => {
    if (!hasCode(cause, 'NOT_FOUND', 'AMBIGUOUS')) throw cause;
    throw new EngineError(400, `could not get container for ${name}: ${messageOf(cause)}`, { cause });
  });
  if (storedConfigOf(linked)?.HostConfig.NetworkMode !== 'host') return linked.id;
  const reason = "host type networking can't be used with links. This would result in undefined behavior";
  throw new EngineError(400, `conflicting options: ${reason}`);
}

type Linking = Pick<Details, 'endpoints'>;

const linksOf = ({ endpoints }: Linking) =>
  endpoints.flatMap(({ links }) => links.flatMap((text) => linkById(text) ?? []));

/** `HostConfig.Links` of a container as Docker shows them, `/db:/web/data`; undefined without one. */
export async function shownLinks(
  ctx: Pick<ContainerContext, 'containerd'>,
  { name, details }: { readonly name: string; readonly details: Linking },
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const links = linksOf(details);
  if (links.length === 0) return undefined;
  const shown = links.map(async ({ id, alias }) => {
    const linked = await resolveContainer(ctx.containerd, id, { signal }).catch(ignoreMissing);
    return linked ? [`/${containerNameOf(linked)}:/${name}/${alias}`] : [];
  });
  return (await Promise.all(shown)).flat();
}

function ignoreMissing(error: unknown): undefined {
  if (!hasCode(error, 'NOT_FOUND')) throw error;
}

/** The further names of containers, by their ids. */
export function linkNames(
  containers: Iterable<ListedContainer>,
  detailsIn: (container: ListedContainer) => Linking,
): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>();
  for (const container of containers)
    for (const { id, alias } of linksOf(detailsIn(container)))
      names.set(id, [...(names.get(id) ?? []), `/${container.view.name}/${alias}`]);
  return names;
}

/** The id of the container that `web/db` names; undefined if it names none. */
export async function idOfLink(
  { containerd }: Pick<ContainerContext, 'containerd'>,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [, parent, alias] = /^\/?([^/]+)\/([^/]+)$/.exec(name) ?? [];
  if (parent === undefined) return undefined;
  try {
    const found = linksOf(detailsOf(await resolveContainer(containerd, parent, { signal })));
    return found.find((link) => link.alias === alias)?.id;
  } catch (error) {
    if (!(error instanceof HealthctlError)) throw error;
    return undefined;
  }
}
