import { as, type Guard, isBoolean, isText, listOf, objectOf, oneOf, optional } from '../lib/shape.ts';

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

const isMountPoint = objectOf({
  ...{ Type: oneOf(['bind', 'volume', 'tmpfs']), Name: optional(isText), Source: isText, Destination: isText },
  ...{ Driver: optional(isText), Mode: isText, RW: isBoolean, Propagation: isText },
});

/** The mounts of a stored record. */
export const isMountPoints: Guard<readonly MountPoint[]> = listOf(isMountPoint);

/** The mounts in a stored record; undefined if there are none, or they cannot be parsed. */
export const parseMountPoints = (value: unknown): readonly MountPoint[] | undefined => as(isMountPoints, value);
