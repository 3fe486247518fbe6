import { CGROUP_ROOT, cgroupLinesIn, containerCgroupOf } from './cgroup-file.ts';
import { readKernelFile } from './kernel-file.ts';

/** What the kernel counts for a container's processes. Times are nanoseconds of one processor. */
export interface CgroupStats {
  readonly cpu: {
    readonly total: number;
    readonly kernel: number;
    readonly user: number;
    /** For each processor; cgroup v1 alone has it. */
    readonly perCpu?: readonly number[];
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNs: number;
  };
  readonly memory: {
    readonly usage: number;
    /** The highest usage; cgroup v1 alone has it. */
    readonly max?: number;
    /** Infinity without one. */
    readonly limit: number;
    /** How often the limit was hit. */
    readonly failures: number;
    /** `memory.stat`. */
    readonly stat: Readonly<Record<string, number>>;
  };
  readonly pids: {
    readonly current: number;
    /** Infinity without one. */
    readonly limit: number;
  };
  /** Bytes; cgroup v1 also has `sync`, `async` and `total`. */
  readonly io: readonly IoEntry[];
}

interface IoEntry {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

/** The directories of a container's cgroup by controller; `unified` of cgroup v2. */
export type CgroupDirs = ReadonlyMap<string, string>;

/** USER_HZ is 100 on all of Linux's architectures that Node.js runs on. */
const TICK_NS = 10_000_000;

/** Pure: from `/proc/PID/cgroup` of its main process. Empty if it has no cgroup of its own. */
export function cgroupDirsIn(text: string, containerId: string): CgroupDirs {
  return new Map(
    cgroupLinesIn(text).flatMap(({ names, controllers, path }): readonly (readonly [string, string])[] => {
      const own = containerCgroupOf(path, containerId);
      if (own === undefined) return [];
      if (names === '') return [['unified', `${CGROUP_ROOT}${own}`]];
      return controllers.map((controller) => [controller, `${CGROUP_ROOT}/${names}${own}`]);
    }),
  );
}

/** The counters of the container whose main process has this pid; undefined if they cannot be read, e.g. it has ended. */
export function readCgroupStats(pid: number, containerId: string): CgroupStats | undefined {
  const dirs = cgroupDirsIn(readKernelFile(`/proc/${pid}/cgroup`) ?? '', containerId);
  return dirs.has('cpuacct') ? readV1(dirs) : dirs.has('unified') ? readV2(dirs.get('unified') ?? '') : undefined;
}

function readV1(dirs: CgroupDirs): CgroupStats | undefined {
  const of = (controller: string, name: string): string | undefined => {
    const dir = dirs.get(controller);
    return dir === undefined ? undefined : readKernelFile(`${dir}/${name}`);
  };
  const total = of('cpuacct', 'cpuacct.usage');
  if (total === undefined) return undefined;
  const times = keyed(of('cpuacct', 'cpuacct.stat'));
  const throttling = keyed(of('cpu', 'cpu.stat'));
  return {
    cpu: {
      total: Number(total),
      kernel: (times.system ?? 0) * TICK_NS,
      user: (times.user ?? 0) * TICK_NS,
      perCpu: (of('cpuacct', 'cpuacct.usage_percpu') ?? '').split(/\s+/).filter(Boolean).map(Number),
      ...throttlingOf(throttling),
      throttledNs: throttling.throttled_time ?? 0,
    },
    memory: {
      usage: numberIn(of('memory', 'memory.usage_in_bytes')),
      max: numberIn(of('memory', 'memory.max_usage_in_bytes')),
      limit: limitIn(of('memory', 'memory.limit_in_bytes')),
      failures: numberIn(of('memory', 'memory.failcnt')),
      stat: keyed(of('memory', 'memory.stat')),
    },
    pids: { current: numberIn(of('pids', 'pids.current')), limit: limitIn(of('pids', 'pids.max')) },
    io: ioOfV1(
      of('blkio', 'blkio.throttle.io_service_bytes_recursive') ?? of('blkio', 'blkio.throttle.io_service_bytes') ?? '',
    ),
  };
}

function readV2(dir: string): CgroupStats | undefined {
  const of = (name: string): string | undefined => readKernelFile(`${dir}/${name}`);
  const text = of('cpu.stat');
  if (text === undefined) return undefined;
  const cpu = keyed(text);
  return {
    cpu: {
      total: (cpu.usage_usec ?? 0) * 1000,
      kernel: (cpu.system_usec ?? 0) * 1000,
      user: (cpu.user_usec ?? 0) * 1000,
      ...throttlingOf(cpu),
      throttledNs: (cpu.throttled_usec ?? 0) * 1000,
    },
    memory: {
      usage: numberIn(of('memory.current')),
      limit: limitIn(of('memory.max')),
      failures: keyed(of('memory.events')).oom ?? 0,
      stat: keyed(of('memory.stat')),
    },
    pids: { current: numberIn(of('pids.current')), limit: limitIn(of('pids.max')) },
    io: ioOfV2(of('io.stat') ?? ''),
  };
}

const throttlingOf = (stat: Readonly<Record<string, number>>) => ({
  periods: stat.nr_periods ?? 0,
  throttledPeriods: stat.nr_throttled ?? 0,
});

/** `key number` lines. */
function keyed(text = ''): Readonly<Record<string, number>> {
  return Object.fromEntries([...text.matchAll(/^(\S+) (\d+)$/gm)].map(([, key = '', value]) => [key, Number(value)]));
}

const numberIn = (text: string | undefined): number => Number.parseInt(text ?? '0', 10) || 0;

/** `max`, and nothing to read: no limit. */
function limitIn(text: string | undefined): number {
  const number = Number(text?.trim() || Number.NaN);
  return Number.isNaN(number) ? Number.POSITIVE_INFINITY : number;
}

/** Lines like `8:0 Read 4096`; the sum of all devices at the end has no device. */
function ioOfV1(text: string): readonly IoEntry[] {
  return [...text.matchAll(/^(\d+):(\d+) (\S+) (\d+)$/gm)].map(([, major, minor, op = '', value]) => ({
    ...{ major: Number(major), minor: Number(minor), op: op.toLowerCase(), value: Number(value) },
  }));
}

/** Lines like `8:0 rbytes=4096 wbytes=0 rios=1 …`. */
function ioOfV2(text: string): readonly IoEntry[] {
  return [...text.matchAll(/^(\d+):(\d+) rbytes=(\d+) wbytes=(\d+)/gm)].flatMap(([, major, minor, read, written]) => {
    const device = { major: Number(major), minor: Number(minor) };
    return [
      { ...device, op: 'read', value: Number(read) },
      { ...device, op: 'write', value: Number(written) },
    ];
  });
}

/** Nanoseconds of all processors since the boot, idle ones included, and how many there are. */
export function readSystemCpu(): { readonly totalNs: number; readonly online: number } {
  const text = readKernelFile('/proc/stat') ?? '';
  // user, nice, system, idle, iowait, irq, softirq (moby: daemon/stats_unix.go)
  const ticks = (/^cpu +([\d ]+)$/m.exec(text)?.[1] ?? '').split(' ').slice(0, 7).map(Number);
  const totalNs = ticks.reduce((sum, one) => sum + one, 0) * TICK_NS;
  return { totalNs, online: [...text.matchAll(/^cpu\d+ /gm)].length };
}

/** Counters of an interface. */
export interface InterfaceStats {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** Pure: the interfaces in `/proc/PID/net/dev` but `lo`, by name. */
export function interfacesIn(text: string): ReadonlyMap<string, InterfaceStats> {
  return new Map(
    [...text.matchAll(/^\s*(\S+):\s*([\d ]+)$/gm)].flatMap(([, name = '', numbers = '']) => {
      const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0, , , , , ...sent] = numbers
        .trim()
        .split(/ +/)
        .map(Number);
      const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = sent;
      if (name === 'lo') return [];
      return [[name, { rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped }] as const];
    }),
  );
}
