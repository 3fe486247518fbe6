import type { ContainerRecord } from '../containerd/containers.ts';
import { LABELS } from '../lib/labels.ts';
import { parseJsonText } from '../lib/shape.ts';
import type { Mount, RuntimeSpec } from '../oci/types.ts';
import { type MountPoint, parseMountPoints } from './mount-point.ts';

/** Newer releases of nerdctl write one label per mount, numbered from 0, instead of one with the list. */
const NUMBERED = new RegExp(`^${LABELS.mounts}\\.(\\d+)$`);

/** Files that nerdctl generates and mounts for each container; Docker does not list them as mounts. */
const GENERATED: ReadonlySet<string> = new Set(['/etc/resolv.conf', '/etc/hosts', '/etc/hostname']);

/**
 * The host mounts of a container of another tool: those of its runtime spec, with the description in nerdctl's labels
 * if it matches that mount. A label alone is no mount, because an image may carry it.
 */
export function foreignMounts(
  { id, labels }: Pick<ContainerRecord, 'id' | 'labels'>,
  spec: RuntimeSpec | undefined,
): readonly MountPoint[] {
  const described = describedMounts(labels);
  return (spec?.mounts ?? []).flatMap((mount) => {
    const description = described.find((one) => isSame(one, mount));
    if (description) return [{ ...description, RW: !isReadOnly(mount) }];
    return isBind(mount) && !isGenerated(mount, id) ? [bindFrom(mount)] : [];
  });
}

function describedMounts(labels: ContainerRecord['labels']): readonly MountPoint[] {
  const numbered = Object.entries(labels)
    .flatMap(([key, text]) => {
      const number = NUMBERED.exec(key)?.[1];
      return number === undefined ? [] : [{ number: Number(number), mount: parseJsonText(text) }];
    })
    .sort((a, b) => a.number - b.number)
    .map(({ mount }) => mount);
  return parseMountPoints(numbered.length > 0 ? numbered : parseJsonText(labels[LABELS.mounts])) ?? [];
}

const isSame = ({ Type, Source, Destination }: MountPoint, mount: Mount): boolean =>
  Destination === mount.destination &&
  (Type === 'tmpfs' ? mount.type === 'tmpfs' : isBind(mount) && Source === mount.source);

const isBind = ({ type, options = [] }: Mount): boolean =>
  type === 'bind' || options.includes('bind') || options.includes('rbind');

const isReadOnly = ({ options = [] }: Mount): boolean => options.includes('ro');

/** They are in nerdctl's directories, whose path contains the container's id. */
const isGenerated = ({ destination, source = '' }: Mount, id: string): boolean =>
  GENERATED.has(destination) && source.endsWith(`/${id}${destination.slice('/etc'.length)}`);

function bindFrom(mount: Mount): MountPoint {
  const { source: Source = '', destination: Destination, options = [] } = mount;
  const RW = !isReadOnly(mount);
  const Propagation = options.find((option) => /^r?(?:private|shared|slave)$/.test(option)) ?? '';
  return { Type: 'bind', Source, Destination, Mode: RW ? '' : 'ro', RW, Propagation };
}
