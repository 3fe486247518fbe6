import { HealthctlError } from '../lib/errors.ts';

/** Options of a volume, as given: what is mounted in the place of its directory. */
export type VolumeOptions = Readonly<Record<string, string>>;

/** The content of a volume. */
export type VolumeContent =
  /** Its own directory, on disk or, with a tmpfs on it, in memory. */
  | { readonly kind: 'own'; readonly isInMemory: boolean }
  /** A directory or file of the host. */
  | {
      readonly kind: 'host';
      readonly path: string;
      readonly readOnly: boolean;
      readonly isRecursive: boolean;
    }
  /** Another file system, such as NFS, which the runtime mounts for each container. */
  | {
      readonly kind: 'file-system';
      readonly type: string;
      readonly device: string;
      readonly options: readonly string[];
    };

/** moby: daemon/volume/local/local_unix.go. */
const KNOWN: ReadonlySet<string> = new Set(['type', 'o', 'device', 'size']);
/** Each needs the others. */
const NEEDED: readonly (readonly [option: string, needed: readonly string[]])[] = [
  ['device', ['type']],
  ['type', ['device']],
  ['o', ['device', 'type']],
];

/** Throws INVALID with Docker's texts. */
export function checkVolumeOptions(options: VolumeOptions): void {
  for (const name of Object.keys(options)) if (!KNOWN.has(name)) throw invalid(`invalid option: "${name}"`);
  if (options.size !== undefined) refuseSize(options.size);
  for (const [option, needed] of NEEDED) {
    if (!Object.hasOwn(options, option)) continue;
    for (const name of needed) if (!Object.hasOwn(options, name)) throw invalid(`missing required option: "${name}"`);
  }
}

/** In the form of docker/go-units. Nothing limits the size of a directory. */
function refuseSize(size: string): void {
  if (!/^\d+(\.\d+)? ?([kmgtp]i?)?b?$/i.test(size)) throw invalid(`invalid size: '${size}'`);
  if (Number.parseFloat(size) > 0) throw invalid('quota size requested but no quota support');
}

const invalid = (reason: string): HealthctlError => new HealthctlError('INVALID', reason);

/** What the options ask for. */
export function contentOf({ type = '', o = '', device = '' }: VolumeOptions): VolumeContent {
  if (type === '') return { kind: 'own', isInMemory: false };
  const options = o.split(',').filter((option) => option !== '');
  const isRecursive = options.includes('rbind');
  if (isRecursive || options.includes('bind'))
    return { kind: 'host', path: device, readOnly: options.includes('ro'), isRecursive };
  if (type === 'tmpfs') return { kind: 'own', isInMemory: true };
  return { kind: 'file-system', type, device, options };
}

/** Whether the content is in memory, which all containers with the volume share. */
export function isInMemory(options: VolumeOptions): boolean {
  const content = contentOf(options);
  return content.kind === 'own' && content.isInMemory;
}

// uapi/linux/mount.h
const FLAGS: Readonly<Record<string, number>> = {
  ...{ defaults: 0, rw: 0, suid: 0, dev: 0, exec: 0, async: 0, atime: 0 },
  ...{ ro: 1, nosuid: 2, nodev: 4, noexec: 8, sync: 16, dirsync: 128, noatime: 1 << 10, nodiratime: 1 << 11 },
  ...{ relatime: 1 << 21, strictatime: 1 << 24 },
};

/** The options of a mount for mount(2): flags, and what is for the file system. */
export function mountFlagsOf({ o = '' }: VolumeOptions): { readonly flags: number; readonly data: string } {
  const words = o.split(',').filter((word) => word !== '');
  const flags = words.reduce((all, word) => all | (FLAGS[word] ?? 0), 0);
  return { flags, data: words.filter((word) => FLAGS[word] === undefined).join(',') };
}
