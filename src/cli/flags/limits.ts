import { HealthctlError } from '../../lib/errors.ts';
import { parseCpus, parseSize } from '../../oci/parse.ts';
import type { Limits } from '../../oci/resources.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';
import { checkBy } from './check-by.ts';

/** The options of `run` and `create` that limit what a container may use, in Docker's words. */
export const limitOptionSpecs: readonly OptionSpec[] = [
  { name: 'cpu-period', type: 'int', help: 'Limit CPU CFS (Completely Fair Scheduler) period' },
  { name: 'cpu-quota', type: 'int', help: 'Limit CPU CFS (Completely Fair Scheduler) quota' },
  { name: 'cpu-rt-period', type: 'int', help: 'Limit CPU real-time period in microseconds' },
  { name: 'cpu-rt-runtime', type: 'int', help: 'Limit CPU real-time runtime in microseconds' },
  { name: 'cpu-shares', short: 'c', type: 'int', help: 'CPU shares (relative weight)' },
  { name: 'cpus', type: 'string', value: 'decimal', help: 'Number of CPUs', check: checkBy(parseCpus) },
  { name: 'cpuset-cpus', type: 'string', help: 'CPUs in which to allow execution (0-3, 0,1)' },
  { name: 'cpuset-mems', type: 'string', help: 'MEMs in which to allow execution (0-3, 0,1)' },
  { name: 'memory', short: 'm', type: 'string', value: 'bytes', help: 'Memory limit', check: checkBy(parseSize) },
  {
    name: 'memory-reservation',
    type: 'string',
    value: 'bytes',
    help: 'Memory soft limit',
    check: checkBy(parseSize),
  },
  {
    name: 'memory-swap',
    type: 'string',
    value: 'bytes',
    help: "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
    check: checkBy(parseSwap),
  },
  { name: 'oom-kill-disable', type: 'bool', help: 'Disable OOM Killer' },
  { name: 'oom-score-adj', type: 'int', help: "Tune host's OOM preferences (-1000 to 1000)" },
  { name: 'pids-limit', type: 'int', help: 'Limit the number of processes (-1 for unlimited)' },
];

/** The values of the options, those about OOM only if the command `has` them; src/oci/resources.ts defines which are valid on this host. Throws USAGE. */
export function limitsFrom(options: ParsedOptions, has: { readonly oom: boolean }): Limits {
  const int = <K extends keyof Limits>(key: K, name: string) => present(key, options.int(name));
  const text = <K extends keyof Limits>(key: K, name: string, parse: (text: string) => Limits[K]) => {
    const given = options.string(name);
    return present(key, given ? parse(given) : undefined);
  };
  return {
    ...text('memory', 'memory', parseSize),
    ...text('memorySwap', 'memory-swap', parseSwap),
    ...text('memoryReservation', 'memory-reservation', parseSize),
    ...(has.oom && options.bool('oom-kill-disable') ? { oomKillDisable: true } : {}),
    ...text('nanoCpus', 'cpus', parseCpus),
    ...int('cpuShares', 'cpu-shares'),
    ...int('cpuPeriod', 'cpu-period'),
    ...int('cpuQuota', 'cpu-quota'),
    ...int('cpuRealtimePeriod', 'cpu-rt-period'),
    ...int('cpuRealtimeRuntime', 'cpu-rt-runtime'),
    ...text('cpusetCpus', 'cpuset-cpus', (given) => given),
    ...text('cpusetMems', 'cpuset-mems', (given) => given),
    ...int('pidsLimit', 'pids-limit'),
  };
}

/** `--oom-score-adj`. Throws INVALID with Docker's text (moby daemon/daemon_unix.go). */
export function oomScoreFrom(options: ParsedOptions): number {
  const score = options.int('oom-score-adj') ?? 0;
  if (score >= -1000 && score <= 1000) return score;
  throw new HealthctlError('INVALID', `Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
}

/** docker/cli opts.MemSwapBytes. */
function parseSwap(text: string): number {
  return text === '-1' ? -1 : parseSize(text);
}

function present<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
