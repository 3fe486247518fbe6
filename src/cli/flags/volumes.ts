import { parseTmpfs, parseVolume } from '../../oci/mount-flags.ts';
import { parseMount, readMountFields } from '../../oci/mount-option.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';
import { checkBy } from './check-by.ts';
import { CONTAINER, VOLUME } from './values.ts';

/** The options of `run` and `create` that put something of the host into the container, in Docker's words. */
export const mountOptionSpecs: readonly OptionSpec[] = [
  {
    name: 'mount',
    type: 'list',
    value: 'mount',
    help: 'Attach a filesystem mount to the container',
    check: checkBy((text) => readMountFields(text, '/')),
    complete: { words: ['type=bind,source=', 'type=volume,source=', 'type=tmpfs,target='] },
  },
  { name: 'tmpfs', type: 'list', help: 'Mount a tmpfs directory' },
  { name: 'volume', short: 'v', type: 'list', help: 'Bind mount a volume', complete: { ...VOLUME, paths: 'file' } },
  {
    name: 'volumes-from',
    type: 'list',
    help: 'Mount volumes from the specified container(s)',
    complete: CONTAINER,
  },
];

/** A source that begins with a dot, of -v or of --mount. */
const RELATIVE = /(?:^|=)"?\./;

/** Throws USAGE and INVALID in Docker's words. @param cwd where relative paths start */
export function mountsFrom(
  options: ParsedOptions,
  cwd: () => string,
): Pick<CreateRequest, 'binds' | 'volumes' | 'tmpfs'> {
  const [volumes, given] = [options.list('volume'), options.list('mount')];
  // Evaluated only if needed: the directory may be gone.
  const base = [...volumes, ...given].some((text) => RELATIVE.test(text)) ? cwd() : '/';
  const mounts = [
    ...volumes.map((text) => parseVolume(text, base)),
    ...given.map((text) => parseMount(text, base)),
    ...options.list('tmpfs').map((text) => ({ kind: 'tmpfs', tmpfs: parseTmpfs(text) }) as const),
  ];
  return {
    binds: mounts.flatMap((mount) => (mount.kind === 'bind' ? mount.bind : [])),
    volumes: mounts.flatMap((mount) => (mount.kind === 'volume' ? mount.volume : [])),
    tmpfs: mounts.flatMap((mount) => (mount.kind === 'tmpfs' ? mount.tmpfs : [])),
  };
}
