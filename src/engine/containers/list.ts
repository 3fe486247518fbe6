import { type ListedContainer, listContainers } from '../../container/list.ts';
import { createdBetween, SHOWN_STATES } from '../../container/list-selection.ts';
import { openContainerSizes } from '../../container/sizes.ts';
import type { NamespaceDirs } from '../../lib/dirs.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { commandLine } from '../../record/command-line.ts';
import { type Details, detailsOf } from '../../record/details.ts';
import { matchesHealth, matchesView, parseListFilters } from '../../record/list-filter.ts';
import { networkSettingsOf } from '../../record/network-settings.ts';
import {
  attachmentOf,
  type PortSpan,
  parseShownPorts,
  publishedPortsOf,
  shownPortsText,
} from '../../record/shown-ports.ts';
import { statusText } from '../../record/status-text.ts';
import type { ContainerView } from '../../record/view.ts';
import { filterTextsOf, parseFilters } from '../filters.ts';
import type { EngineDeps } from '../host.ts';
import { type Answer, type Call, json, type Route } from '../route.ts';
import { type ApiVersion, isSince } from '../version.ts';
import { asShown } from './found.ts';
import { linkNames } from './links.ts';

export function listRoutes(deps: EngineDeps): readonly Route[] {
  return [{ method: 'GET', path: '/containers/json', handle: (call) => list(deps, call) }];
}

async function list(deps: EngineDeps, { query, signal, version }: Call): Promise<Answer> {
  const { ctx, clock } = deps;
  const filters = parseListFilters(filterTextsOf(parseFilters(query.text('filters'))));
  const limit = query.int('limit') ?? 0;
  const isAll = query.flag('all') || limit > 0 || filters.has('status');
  const isInTime = await createdBetween(ctx, filters, signal);
  const dirs = { dirs: ctx.dirs, namespace: ctx.containerd.namespace };
  const keep = (view: ContainerView): boolean => {
    const shown = asShown(deps, view);
    return (isAll || SHOWN_STATES.has(shown.state)) && isInTime(view) && matchesView(filters, shown, dirs);
  };
  const known = deps.host.listed();
  const listed = known?.filter(({ view }) => keep(view));
  const matching = (listed ?? (await listContainers(ctx, { keep, signal })))
    .map((row) => ({ ...row, view: asShown(deps, row.view) }))
    .filter(({ health }) => matchesHealth(filters, health));
  const rows = limit > 0 ? matching.slice(0, limit) : matching;
  const sizesOf = query.flag('size') ? openContainerSizes(ctx, { signal }) : undefined;
  const names = linkNames(known ?? rows, ({ view }) => knownDetailsOf(view.record));
  const entries = rows.map(async (row) => {
    const sizes = await sizesOf?.(row.view.record).catch(refusalOfSizes);
    return entryOf(row, { dirs, nowMs: clock.now(), sizes, version, names: names.get(row.view.record.id) ?? [] });
  });
  return json(await Promise.all(entries));
}

/** Of a container that was removed meanwhile. */
function refusalOfSizes(error: unknown): undefined {
  if (!(error instanceof HealthctlError)) throw error;
  return undefined;
}

interface EntryFacts {
  readonly dirs: NamespaceDirs;
  readonly nowMs: number;
  readonly version: ApiVersion;
  /** By links of other containers. */
  readonly names?: readonly string[];
  readonly sizes: { readonly SizeRw: number; readonly SizeRootFs: number } | undefined;
}

/** A record is the same object while nothing has changed. */
const detailsByRecord = new WeakMap<ContainerView['record'], Details>();

function knownDetailsOf(record: ContainerView['record']): Details {
  const details = detailsByRecord.get(record) ?? detailsOf(record);
  detailsByRecord.set(record, details);
  return details;
}

/** An entry of the list (moby: api/types/container Summary). */
export function entryOf({ view, health }: ListedContainer, { dirs, nowMs, sizes, version, names = [] }: EntryFacts) {
  const { record } = view;
  const details = knownDetailsOf(record);
  const attachment = attachmentOf(view, dirs);
  const settings = networkSettingsOf(view, { details, attachment });
  return {
    Id: record.id,
    Names: [`/${view.name}`, ...names],
    Image: details.image,
    ImageID: details.imageId,
    Command: commandLine(details.args),
    Created: Math.floor(record.createdAtMs / 1000),
    Ports: portsOf(view, dirs, attachment),
    ...(sizes ? { ...(sizes.SizeRw > 0 ? { SizeRw: sizes.SizeRw } : {}), SizeRootFs: sizes.SizeRootFs } : {}),
    Labels: details.config.Labels,
    State: view.state,
    Status: statusText(view, health, nowMs),
    HostConfig: {
      NetworkMode: details.hostConfig.NetworkMode,
      ...(isSince(version, 46) && details.hostConfig.Annotations
        ? { Annotations: details.hostConfig.Annotations }
        : {}),
    },
    NetworkSettings: { Networks: settings.Networks },
    Mounts: details.mounts,
  };
}

/** Published ports, and those that are only exposed: of a running container. */
function portsOf(view: ContainerView, dirs: NamespaceDirs, known: ReturnType<typeof attachmentOf>): readonly object[] {
  const published = publishedPortsOf(view, dirs, { known }).map(({ hostIp, hostPort, containerPort, protocol }) => ({
    IP: hostIp === '' ? '0.0.0.0' : hostIp,
    PrivatePort: containerPort,
    PublicPort: hostPort,
    Type: protocol,
  }));
  const exposed = parseShownPorts(shownPortsText(view, dirs)).flatMap(({ protocol, container, host }) =>
    host ? [] : rangeOf(container).map((port) => ({ PrivatePort: port, Type: protocol })),
  );
  return [...published, ...exposed].sort((a, b) => a.PrivatePort - b.PrivatePort);
}

const rangeOf = ({ first, last }: PortSpan): readonly number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
