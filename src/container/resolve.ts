import type { Containerd } from '../containerd/client.ts';
import type { ContainerRecord } from '../containerd/containers.ts';
import { HealthctlError } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { containerNameOf, type KubernetesName, parseKubernetesName } from '../record/container-name.ts';
import { type ContainerView, momentOf } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { viewWithExit } from './view-with-exit.ts';

/** An id in the form of healthctl, nerdctl and the CRI. */
const WHOLE_ID = /^[0-9a-f]{64}$/;
/** The characters that containerd allows in an id, and Docker in a name; an id of another tool may be longer. */
const PLAUSIBLE = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/**
 * The container with this name, id or unambiguous id prefix, tried in this order.
 *
 * @throws NOT_FOUND `No such container: x`; AMBIGUOUS `multiple IDs found with provided prefix: x`
 */
export async function resolveContainer(
  containerd: Containerd,
  nameOrId: string,
  options: { signal?: AbortSignal } = {},
): Promise<ContainerRecord> {
  const [found] = await resolveContainers(containerd, [nameOrId], options);
  if (found === undefined || found instanceof HealthctlError) throw found;
  return found;
}

/** Like `resolveContainer` for several, in their order, with one request: for each the container or its error. */
export async function resolveContainers(
  containerd: Containerd,
  namesOrIds: readonly string[],
  options: { signal?: AbortSignal } = {},
): Promise<readonly (ContainerRecord | HealthctlError)[]> {
  const filters = namesOrIds.map(bareName).flatMap(filtersFor);
  const records = filters.length === 0 ? [] : await containerd.containers.list(filters, options);
  const found = namesOrIds.map((nameOrId) => pickRecord(records, nameOrId));
  const hint = found.includes(undefined) ? await namespaceHint(containerd, options) : {};
  return found.map(
    (record, index) => record ?? new HealthctlError('NOT_FOUND', `No such container: ${namesOrIds[index]}`, hint),
  );
}

/** Docker also accepts a name with its slash. */
const bareName = (nameOrId: string): string => nameOrId.replace(/^\//, '');

function filtersFor(wanted: string): readonly string[] {
  const kubernetes = parseKubernetesName(wanted);
  if (kubernetes) return [filterOf(kubernetes)];
  if (!PLAUSIBLE.test(wanted)) return [];
  const asPattern = wanted.replaceAll('.', '[.]');
  return [`labels.${JSON.stringify(LABELS.name)}==${JSON.stringify(wanted)}`, `id~=${JSON.stringify(`^${asPattern}`)}`];
}

function filterOf({ namespace, pod, container }: KubernetesName): string {
  const is = (label: string, value: string): string => `labels.${JSON.stringify(label)}==${JSON.stringify(value)}`;
  const wanted = [is(LABELS.podNamespace, namespace), is(LABELS.podName, pod)];
  return [...wanted, ...(container === undefined ? [] : [is(LABELS.podContainer, container)])].join(',');
}

/** Undefined if no record matches. */
export function pickRecord<Record extends Pick<ContainerRecord, 'id' | 'labels'>>(
  records: readonly Record[],
  nameOrId: string,
): Record | HealthctlError | undefined {
  const wanted = bareName(nameOrId);
  if (parseKubernetesName(wanted)) return pickNamed(records, wanted);
  if (!PLAUSIBLE.test(wanted)) return undefined;
  const byId = records.find((record) => record.id === wanted);
  if (byId && WHOLE_ID.test(wanted)) return byId;
  // Another tool's container may have any id, even the name of one of ours.
  const called = records.filter((record) => record === byId || record.labels[LABELS.name] === wanted);
  if (called.length > 1) return ambiguousName(wanted, called);
  if (called[0]) return called[0];
  const [first, ...others] = records.filter((record) => record.id.startsWith(wanted));
  if (others.length === 0) return first;
  return new HealthctlError('AMBIGUOUS', `multiple IDs found with provided prefix: ${nameOrId}`, {
    hint: 'give more of the id, or the name',
  });
}

/**
 * Names are unique among our and nerdctl's containers; one of another tool may carry any name, for example from its
 * image.
 */
function ambiguousName(name: string, records: readonly Pick<ContainerRecord, 'id'>[]): HealthctlError {
  const ids = records.map(({ id }) => id);
  return new HealthctlError('AMBIGUOUS', `multiple containers named ${name}: use an id`, { hint: ids.join(' or ') });
}

/** Kubernetes creates a new container of the same name when it restarts one. */
function pickNamed<Record extends Pick<ContainerRecord, 'id' | 'labels'>>(
  records: readonly Record[],
  name: string,
): Record | HealthctlError | undefined {
  const [first, ...others] = records.filter((record) => containerNameOf(record) === name);
  if (others.length === 0) return first;
  return ambiguousName(
    name,
    [first, ...others].filter((record) => record !== undefined),
  );
}

/** Like `resolveContainer`, with the task. */
export async function resolveView(
  ctx: Pick<ContainerContext, 'containerd' | 'clock' | 'dirs'>,
  nameOrId: string,
  options: { signal?: AbortSignal } = {},
): Promise<ContainerView> {
  return viewRecord(ctx, await resolveContainer(ctx.containerd, nameOrId, options), options);
}

/** Like `resolveContainers`, with the tasks: two calls to containerd, however many there are. */
export async function resolveViews(
  ctx: Pick<ContainerContext, 'containerd' | 'clock' | 'dirs'>,
  namesOrIds: readonly string[],
  options: { signal?: AbortSignal } = {},
): Promise<readonly (ContainerView | HealthctlError)[]> {
  const records = await resolveContainers(ctx.containerd, namesOrIds, options);
  const found = records.flatMap((record) => (record instanceof HealthctlError ? [] : [record]));
  const [only, ...others] = found;
  const tasks = new Map(
    only === undefined || others.length === 0
      ? await Promise.all(found.map(async ({ id }) => [id, await ctx.containerd.tasks.find(id, options)] as const))
      : (await ctx.containerd.tasks.list(options)).map((task) => [task.containerId, task] as const),
  );
  const moment = momentOf(ctx.clock);
  return Promise.all(
    records.map((record) =>
      record instanceof HealthctlError
        ? record
        : viewWithExit(ctx, { record, task: tasks.get(record.id), moment }, options),
    ),
  );
}

/** A record with its present task. */
export async function viewRecord(
  ctx: Pick<ContainerContext, 'containerd' | 'clock' | 'dirs'>,
  record: ContainerRecord,
  options: { signal?: AbortSignal } = {},
): Promise<ContainerView> {
  const task = await ctx.containerd.tasks.find(record.id, options);
  return viewWithExit(ctx, { record, task, moment: momentOf(ctx.clock) }, options);
}

/** A missing name was often looked for in the wrong namespace. */
export async function namespaceHint(
  containerd: Containerd,
  options: { signal?: AbortSignal },
): Promise<{ readonly hint?: string }> {
  const missing = await missingNamespace(containerd, options);
  return missing === undefined ? {} : { hint: missing.text };
}

/**
 * Says that containerd does not have the namespace, and which it has; undefined when it does. @returns isNew: it has
 * none yet
 */
export async function missingNamespace(
  containerd: Pick<Containerd, 'host' | 'namespace'>,
  options: { signal?: AbortSignal } = {},
): Promise<{ readonly text: string; readonly isNew: boolean } | undefined> {
  const namespaces = await containerd.host.namespaces(options);
  if (namespaces.includes(containerd.namespace)) return undefined;
  const text = `containerd has no namespace ${containerd.namespace}; it has: ${namespaces.join(', ') || 'none'}`;
  return { text, isNew: namespaces.length === 0 };
}
