/** Something of the host in a container, as Docker's document has it. */
export interface MountPoint {
  readonly Type: 'bind' | 'volume' | 'tmpfs';
  /** Of a volume. */
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  /** Of a volume. */
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

const TYPES: ReadonlySet<unknown> = new Set(['bind', 'volume', 'tmpfs']);

/** What a stored record says of mounts; undefined where it says nothing, or nothing that can be read. */
export function parseMountPoints(value: unknown): readonly MountPoint[] | undefined {
  return Array.isArray(value) && value.every(isMountPoint) ? value : undefined;
}

function isMountPoint(value: unknown): value is MountPoint {
  if (typeof value !== 'object' || value === null) return false;
  const { Type, Name = '', Source, Destination, Driver = '', Mode, RW, Propagation } = value as Record<string, unknown>;
  const texts = [Name, Source, Destination, Driver, Mode, Propagation];
  return TYPES.has(Type) && typeof RW === 'boolean' && texts.every((text) => typeof text === 'string');
}
