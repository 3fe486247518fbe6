import type { ListedContainer } from '../../container/list.ts';
import type { ContainerSizes } from '../../container/sizes.ts';
import { quote } from '../../go/quote.ts';
import { nilPointer } from '../../go/template/template.ts';
import { humanDuration, humanSize, localTimestamp } from '../../go/units.ts';
import { shortId } from '../../image/digest-text.ts';
import { familiarName, tryParseReference } from '../../image/reference.ts';
import type { NamespaceDirs } from '../../lib/dirs.ts';
import { LABELS } from '../../lib/labels.ts';
import { commandLine } from '../../record/command-line.ts';
import { type Brief, briefOf, detailsOf } from '../../record/details.ts';
import { networksOf } from '../../record/networks.ts';
import { statusWord } from '../../record/shown-health.ts';
import { shownLabels } from '../../record/shown-labels.ts';
import { shownPortsText } from '../../record/shown-ports.ts';
import { statusText } from '../../record/status-text.ts';
import { ellipsis } from './ellipsis.ts';
import type { Column } from './table.ts';

/** A line of `ps`. */
export interface ContainerRow extends ListedContainer {
  /** If requested. */
  readonly sizes?: ContainerSizes;
  /** containerd's. */
  readonly namespace: string;
}

export interface ColumnOptions {
  readonly noTrunc: boolean;
  readonly nowMs: number;
  /** Called when a column with health is evaluated. */
  readonly onHealth: () => void;
  /** The paths for a namespace's attachments; absent: ports come from labels. */
  readonly namespaceDirsOf?: (namespace: string) => NamespaceDirs;
}

/** The columns of `ps` (docker/cli, formatter/container.go). */
export function containerColumns(options: ColumnOptions): Record<string, Column<ContainerRow>> {
  const { noTrunc, nowMs, onHealth, namespaceDirsOf } = options;
  const brief = remember<ContainerRow, Brief>(({ view }) => briefOf(view.record));
  const nameOf = rememberNames(noTrunc);
  const cut = (text: string, width: number) => (noTrunc ? text : ellipsis(text, width));
  return {
    Command: { header: 'COMMAND', value: (row) => quote(cut(commandLine(brief(row).args), 20)) },
    CreatedAt: { header: 'CREATED AT', value: ({ view }) => localTimestamp(view.record.createdAtMs) },
    HealthStatus: {
      header: 'HEALTH STATUS',
      value: ({ health }) => {
        onHealth();
        return statusWord(health);
      },
    },
    ID: { header: 'CONTAINER ID', value: ({ view }) => (noTrunc ? view.record.id : shortId(view.record.id)) },
    Image: { header: 'IMAGE', value: (row) => nameOf(brief(row)) },
    Labels: { header: 'LABELS', value: labelList },
    LocalVolumes: {
      header: 'LOCAL VOLUMES',
      value: (row) => `${detailsOf(row.view.record).mounts.filter(({ Driver }) => Driver === 'local').length}`,
    },
    Mounts: {
      header: 'MOUNTS',
      value: (row) =>
        detailsOf(row.view.record)
          .mounts.map(({ Name, Source }) => cut(Name ?? Source, 15))
          .join(','),
    },
    Namespace: { header: 'NAMESPACE', value: ({ namespace }) => namespace },
    Names: { header: 'NAMES', value: ({ view }) => view.name },
    Networks: { header: 'NETWORKS', value: ({ view }) => networksOf(view.record).join(',') },
    Platform: {
      header: 'PLATFORM',
      value: ({ view }) => view.record.labels[LABELS.platform] ?? nilPointer('*Platform'),
    },
    Ports: { header: 'PORTS', value: ({ view, namespace }) => shownPortsText(view, namespaceDirsOf?.(namespace)) },
    RunningFor: {
      header: 'CREATED',
      value: ({ view }) => `${humanDuration(nowMs - view.record.createdAtMs)} ago`,
    },
    Size: { header: 'SIZE', value: sizeText },
    State: { header: 'STATE', value: ({ view }) => view.state },
    Status: {
      header: 'STATUS',
      value: (row) => {
        onHealth();
        return statusText(row.view, row.health, nowMs);
      },
    },
  };
}

export function labelOf({ view }: ContainerRow, name: string): string {
  return shownLabels(view.record)[name] ?? '';
}

/** Several columns of a row need the same value. */
function remember<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    const value = known.get(key) ?? make(key);
    known.set(key, value);
    return value;
  };
}

/** Many containers share few images, and parsing a reference is the most expensive part of a row. */
function rememberNames(noTrunc: boolean): (brief: Brief) => string {
  const known = new Map<string, string>();
  return (brief) => {
    const key = `${brief.image} ${brief.imageId}`;
    const name = known.get(key) ?? imageName(brief, noTrunc);
    known.set(key, name);
    return name;
  };
}

/** A shortened name has no digest. */
function imageName({ image, imageId }: Brief, noTrunc: boolean): string {
  if (image === '') return '<no image>';
  if (noTrunc) return image;
  if (/^(?:sha256:)?[0-9a-f]{12,64}$/.test(image) && shortId(imageId) === shortId(image)) return shortId(image);
  const reference = tryParseReference(image);
  if (!reference) return image;
  const { digest: _digest, ...named } = reference;
  return familiarName(named);
}

function labelList({ view }: ContainerRow): string {
  return Object.entries(shownLabels(view.record))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

function sizeText({ sizes }: ContainerRow): string {
  if (!sizes) return '0B';
  const virtual = sizes.SizeRootFs > 0 ? ` (virtual ${humanSize(sizes.SizeRootFs, 3)})` : '';
  return `${humanSize(sizes.SizeRw, 3)}${virtual}`;
}
