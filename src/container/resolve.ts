import type { Containerd } from '../containerd/client.ts';
import type { ContainerRecord } from '../containerd/containers.ts';
import { HealthctlError } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import type { ContainerContext } from './context.ts';
import { type ContainerView, momentOf, viewOf } from './view.ts';

/** What containerd allows as an id, and Docker as a name; an id of another tool may be longer. */
const PLAUSIBLE = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/**
 * The container that a name, an id or an unambiguous beginning of an id means, in this order.
 *
 * @throws NOT_FOUND `No such container: x`; AMBIGUOUS `multiple IDs found with provided prefix: x`
 */
export async function resolveContainer(
  containerd: Containerd,
  nameOrId: string,
  options: { signal?: AbortSignal } = {},
): Promise<ContainerRecord> {
  const wanted = nameOrId.replace(/^\//, '');
  if (!PLAUSIBLE.test(wanted)) throw await noSuchContainer(containerd, nameOrId);
  const asPattern = wanted.replaceAll('.', '[.]');
  const records = await containerd.containers.list(
    [`labels.${JSON.stringify(LABELS.name)}==${JSON.stringify(wanted)}`, `id~=${JSON.stringify(`^${asPattern}`)}`],
    options,
  );
  const exact =
    records.find((record) => record.id === wanted) ?? records.find((record) => record.labels[LABELS.name] === wanted);
  if (exact) return exact;
  const [first, ...others] = records;
  if (!first) throw await noSuchContainer(containerd, nameOrId);
  if (others.length > 0)
    throw new HealthctlError('AMBIGUOUS', `multiple IDs found with provided prefix: ${nameOrId}`, {
      hint: 'give more of the id, or the name',
    });
  return first;
}

/** The same with its task. */
export async function resolveView(
  ctx: Pick<ContainerContext, 'containerd' | 'clock'>,
  nameOrId: string,
  options: { signal?: AbortSignal } = {},
): Promise<ContainerView> {
  return viewRecord(ctx, await resolveContainer(ctx.containerd, nameOrId, options), options);
}

/** A record with its task as it is now. */
export async function viewRecord(
  ctx: Pick<ContainerContext, 'containerd' | 'clock'>,
  record: ContainerRecord,
  options: { signal?: AbortSignal } = {},
): Promise<ContainerView> {
  return viewOf(record, await ctx.containerd.tasks.find(record.id, options), momentOf(ctx.clock));
}

/** A name that does not exist is often only looked for in the wrong namespace. */
async function noSuchContainer(containerd: Containerd, nameOrId: string): Promise<HealthctlError> {
  const namespaces = await containerd.host.namespaces();
  const isKnown = namespaces.includes(containerd.namespace);
  const hint = isKnown
    ? undefined
    : `containerd has no namespace ${containerd.namespace}; it has: ${namespaces.join(', ') || 'none'}`;
  return new HealthctlError('NOT_FOUND', `No such container: ${nameOrId}`, hint === undefined ? {} : { hint });
}
