import type { ContainerContext } from '../../container/context.ts';
import { createContainer } from '../../container/create.ts';
import { resolveContainer } from '../../container/resolve.ts';
import { withVolumesFrom } from '../../container/volumes/from.ts';
import { findImage, type ResolvedImage } from '../../image/find.ts';
import { imagePlatform, type Platform, parsePlatform, refuseOtherPlatform } from '../../image/platform.ts';
import { familiarName, tryParseReference, withDefaultTag } from '../../image/reference.ts';
import { refuseUnrunnable } from '../../image/runnable.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { joinedContainer } from '../../oci/namespaces.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import { withStatuses } from '../errors.ts';
import { goStructOf } from '../go-struct.ts';
import type { EngineDeps } from '../host.ts';
import { type Answer, type Call, json, type Route } from '../route.ts';
import { isSince } from '../version.ts';
import { createRequestFrom } from './create-request.ts';
import { discardedOf } from './discarded.ts';
import { withLinks } from './links.ts';

export function createRoutes(deps: EngineDeps): readonly Route[] {
  return [{ method: 'POST', path: '/containers/create', handle: (call) => create(deps, call) }];
}

async function create({ ctx, host, settings, path, log }: EngineDeps, call: Call): Promise<Answer> {
  const { query, version, signal } = call;
  const body = goStructOf(await call.json({ isRequired: true, type: 'container.CreateRequest' }));
  const asked = createRequestFrom(body, {
    ...{ name: query.text('name'), version },
    defaultNetwork: settings.network.defaultNetwork,
  });
  const texts = body.struct('HostConfig')?.texts('VolumesFrom') ?? [];
  const withVolumes = await withStatuses({ NOT_FOUND: 400, AMBIGUOUS: 400 }, () =>
    withVolumesFrom(ctx, asked, { texts, signal }),
  );
  const links =
    asked.network === settings.network.defaultNetwork ? body.struct('HostConfig')?.texts('Links') : undefined;
  const request = await withLinks(ctx, withVolumes, { texts: links ?? [], signal });
  const { ctx: noting, warnings } = notingWarnings(ctx);
  const hostConfig = body.struct('HostConfig');
  if (hostConfig) warnings.push(...discardedOf(hostConfig));
  await withStatuses({ NOT_FOUND: 400 }, () => findJoined(ctx, request, signal));
  const { record } = await createContainer(noting, request, {
    findImage: () => imageOf(ctx, { name: request.image, platform: platformFrom(call) }, signal),
    ...{ path, signal },
    // Docker says nothing of a check that is none.
    onHealthWarning: (text) => (text.startsWith('nothing is checked') ? log.debug(text) : warnings.push(text)),
  });
  await host.refresh(record.id);
  return json({ Id: record.id, Warnings: warnings }, 201);
}

/**
 * A container whose namespace is joined must be there: to Docker it is part of a bad request. A client that is told that
 * something was not found takes it for the image, and pulls that.
 */
async function findJoined(
  ctx: ContainerContext,
  { namespaces: { pid, ipc }, network }: CreateRequest,
  signal: AbortSignal,
): Promise<void> {
  for (const mode of [pid, ipc, network]) {
    const name = joinedContainer(mode);
    if (name !== undefined) await resolveContainer(ctx.containerd, name, { signal });
  }
}

/** The context with a log whose warnings are for the client. */
function notingWarnings(ctx: ContainerContext): { readonly ctx: ContainerContext; readonly warnings: string[] } {
  const warnings: string[] = [];
  return { ctx: { ...ctx, log: { ...ctx.log, warn: (text) => void warnings.push(text) } }, warnings };
}

function platformFrom({ query, version }: Call): Platform | undefined {
  const text = isSince(version, 41) ? query.text('platform') : '';
  return text === '' ? undefined : parsePlatform(text);
}

/**
 * Only a local one: a client pulls what is missing. Throws NOT_FOUND in Docker's words; INVALID for a platform whose
 * programs this host cannot run: containerd would start them, and they would fail.
 */
async function imageOf(
  ctx: ContainerContext,
  { name, platform }: { readonly name: string; readonly platform: Platform | undefined },
  signal: AbortSignal,
): Promise<ResolvedImage> {
  const found = await findImage(ctx, name, { signal, ...(platform ? { platform } : {}) });
  // An id without its algorithm is no name.
  const reference = tryParseReference(name);
  const shown = reference ? familiarName(withDefaultTag(reference)) : name;
  if (!found) throw new HealthctlError('NOT_FOUND', `No such image: ${shown}`);
  if (platform) {
    refuseOtherPlatform(shown, imagePlatform(found.config), platform);
    refuseUnrunnable(platform);
  }
  return found;
}
