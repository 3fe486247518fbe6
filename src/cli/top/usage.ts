import type { Clock } from '../../lib/clock.ts';
import { type CgroupUsage, findUsageFiles, readUsage, type UsageFiles } from '../../system/cgroup-usage.ts';
import type { TopRow, Usage } from './model.ts';

/** Where usage comes from: the kernel, or a test. */
export interface UsageSource {
  find(pid: number, containerId: string): UsageFiles | undefined;
  read(files: UsageFiles): CgroupUsage;
}

const KERNEL: UsageSource = { find: findUsageFiles, read: readUsage };

/** A share of a shorter time says little: the kernel counts in ticks. */
const SHORTEST_MS = 500;

interface Measured {
  readonly pid: number;
  readonly files: UsageFiles | undefined;
  readonly cpuMs: number | undefined;
  readonly atMs: number;
  readonly usage: Usage;
}

/**
 * CPU and memory of containers, from their cgroups: two or three small files each, where containerd would ask each shim. The
 * first measure of a container has no CPU yet.
 */
export class UsageMeter {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #source: UsageSource;
  #known = new Map<string, Measured>();

  constructor(clock: Pick<Clock, 'monotonic'>, source: UsageSource = KERNEL) {
    this.#clock = clock;
    this.#source = source;
  }

  /** Measures these containers. Forgets all others: a share of a long time would be a mean that nobody asked for. */
  measure(rows: readonly TopRow[]): ReadonlyMap<string, Usage> {
    const next = new Map<string, Measured>();
    for (const row of rows) {
      if (row.pid === undefined) continue;
      const measured = this.#measureOne(row.pid, row);
      if (measured) next.set(row.key, measured);
    }
    this.#known = next;
    return new Map([...next].map(([key, { usage }]) => [key, usage]));
  }

  #measureOne(pid: number, { key, id }: TopRow): Measured | undefined {
    const found = this.#known.get(key);
    const before = found?.pid === pid ? found : undefined;
    const atMs = this.#clock.monotonic();
    if (before && atMs - before.atMs < SHORTEST_MS) return before;
    const files = before ? before.files : this.#source.find(pid, id);
    if (!files) return { pid, files, cpuMs: undefined, atMs, usage: { cpu: undefined, memoryBytes: undefined } };
    const { cpuMs, memoryBytes } = this.#source.read(files);
    return { pid, files, cpuMs, atMs, usage: { cpu: shareOf(before, cpuMs, atMs), memoryBytes } };
  }
}

function shareOf(before: Measured | undefined, cpuMs: number | undefined, atMs: number): number | undefined {
  if (before?.cpuMs === undefined || cpuMs === undefined || atMs <= before.atMs) return undefined;
  return Math.max(0, cpuMs - before.cpuMs) / (atMs - before.atMs);
}
