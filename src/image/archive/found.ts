import type { ImageConfig } from '../config.ts';
import type { Descriptor, Manifest } from '../manifest.ts';

/** An image of an archive, complete in the content store; not yet unpacked, not yet named. */
export interface Found {
  /** Full names, e.g. `docker.io/library/busybox:latest`; none for an untagged image. */
  readonly names: readonly string[];
  /** The target of its names: a manifest or an index. */
  readonly target: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}
