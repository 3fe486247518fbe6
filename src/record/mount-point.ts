/** A host path or volume in a container, in the form of Docker's document. */
export interface MountPoint {
  readonly Type: 'bind' | 'volume' | 'tmpfs';
  /** For a volume. */
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  /** For a volume. */
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

const TYPES: ReadonlySet<unknown> = new Set(['bind', 'volume', 'tmpfs']);

/** The mounts in a stored record; undefined if there are none, or they cannot be parsed. */
export function parseMountPoints(value: unknown): readonly MountPoint[] | undefined {
  return Array.isArray(value) && value.every(isMountPoint) ? value : undefined;
}

function isMountPoint(value: unknown): value is MountPoint {
  if (typeof value !== 'object' || value === null) return false;
  const { Type, Name = '', Source, Destination, Driver = '', Mode, RW, Propagation } = value as Record<string, unknown>;
  const texts = [Name, Source, Destination, Driver, Mode, Propagation];
  return TYPES.has(Type) && typeof RW === 'boolean' && texts.every((text) => typeof text === 'string');
}
