import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { descendantsOf, hasEnvironment, listProcesses } from '../../../testbed/processes.ts';
import { isShim, MARK, mountPoints, RUNC_ROOT } from '../../../testbed/testbed-remains.ts';

/** What commands may leave, by kind, each sorted. */
export type Traces = Readonly<Record<Kind, readonly string[]>>;

type Kind =
  | 'images'
  | 'containers'
  | 'tasks'
  | 'snapshots'
  | 'leases'
  | 'blobs'
  | 'ingests' // content that was begun and neither committed nor aborted
  | 'files' // below run root and data root: `path`, FIFOs as `path|`, directories as `path/`
  | 'bundles' // below containerd's task directory: shows the pid file of an exec that was never deleted
  | 'runc' // state directories of the runtime
  | 'cgroups'
  | 'mounts'
  | 'processes'; // shims, processes in containers, and programs of healthctl that outlive their command

/** The part of a bed that findTraces reads. */
interface TracedBed {
  readonly namespace: string;
  readonly directory: string;
  readonly runRoot: string;
  readonly dataRoot: string;
  ctr(...args: string[]): Promise<string>;
}

export async function findTraces({ bed, testbed }: { bed: TracedBed; testbed: string }): Promise<Traces> {
  const { namespace } = bed;
  // Before ctr runs, which would be counted.
  const processes = processesOf(bed, testbed);
  const column = async (args: string[], skip: number) => {
    const lines = (await bed.ctr(...args)).split('\n').slice(skip);
    return lines
      .map((line) => line.trim().split(/\s+/)[0] ?? '')
      .filter((word) => word !== '')
      .sort();
  };
  const bundles = join(testbed, 'state/io.containerd.runtime.v2.task', namespace);
  const [images, containers, tasks, snapshots, leases, blobs, ingests] = await Promise.all([
    column(['images', 'ls', '--quiet'], 0),
    column(['containers', 'ls', '--quiet'], 0),
    column(['tasks', 'ls', '--quiet'], 0),
    column(['snapshots', 'ls'], 1),
    column(['leases', 'ls', '--quiet'], 0),
    column(['content', 'ls', '--quiet'], 0),
    column(['content', 'active'], 1),
  ]);
  return {
    ...{ images, containers, tasks, snapshots, leases, blobs, ingests, processes },
    files: [...filesBelow(bed.runRoot), ...filesBelow(bed.dataRoot, { skip: 'compile-cache' })]
      .filter((path) => isNotLock(path) && isNotHistory(path))
      .sort(),
    bundles: filesBelow(bundles, { skip: 'rootfs' }).sort(),
    runc: filesBelow(join(RUNC_ROOT, namespace)).sort(),
    cgroups: cgroupsOf(namespace).sort(),
    mounts: mountPoints()
      .filter((point) => point.includes(`/${namespace}/`))
      .sort(),
  };
}

/** Locks that exist from a container's first exec on, and are removed with its directory. */
const isNotLock = (path: string): boolean => !/\/exec(-turn)?\.lock$/.test(path);

/** A monitor writes it by time, whatever commands do: it begins up to five seconds after the monitor. */
const isNotHistory = (path: string): boolean => !/\/history\/([a-z]+-\d+(\.\d+)?)?$/.test(path);

/** The differences, one per line: `files: + /run/…` appeared, `-` is gone. */
export function differences(before: Traces, after: Traces): string[] {
  const without = (some: readonly string[], others: readonly string[]) => some.filter((one) => !others.includes(one));
  return (Object.keys(before) as Kind[]).flatMap((kind) => [
    ...without(after[kind], before[kind]).map((one) => `${kind}: + ${one}`),
    ...without(before[kind], after[kind]).map((one) => `${kind}: - ${one}`),
  ]);
}

function processesOf({ namespace, runRoot }: TracedBed, testbed: string): string[] {
  const all = listProcesses();
  const marked = all.filter(({ pid }) => pid !== process.pid && hasEnvironment(pid, `${MARK}=${testbed}`));
  const shims = marked.filter((one) => isShim(one) && one.args.includes(namespace));
  const contained = descendantsOf(shims, all);
  const programs = marked.filter((one) => one.args.includes(runRoot));
  return [
    ...shims.map(({ args }) => `shim ${args[args.indexOf('-id') + 1]}`),
    ...contained.map(({ args }) => `contained ${args.join(' ')}`),
    ...programs.map(({ args }) => `program ${args.join(' ')}`),
  ].sort();
}

/** Paths of everything below a directory, in the form of `Traces.files`; nothing if it does not exist. */
function filesBelow(directory: string, { skip }: { skip?: string } = {}): string[] {
  return entriesOf(directory).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.name === skip) return [];
    if (entry.isDirectory()) return [`${path}/`, ...filesBelow(path, { ...(skip === undefined ? {} : { skip }) })];
    if (entry.isSymbolicLink()) return [`${path} -> ${readlinkSync(path)}`];
    return [entry.isFIFO() ? `${path}|` : path];
  });
}

function cgroupsOf(namespace: string): string[] {
  const hierarchies = [
    '/sys/fs/cgroup',
    ...entriesOf('/sys/fs/cgroup').map(({ name }) => join('/sys/fs/cgroup', name)),
  ];
  return hierarchies.flatMap((hierarchy) =>
    entriesOf(join(hierarchy, namespace))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(hierarchy, namespace, name)),
  );
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}
