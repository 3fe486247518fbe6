import { formatDuration } from '../go/duration.ts';
import { isClockSynchronized } from '../system/clock-sync.ts';
import { readBootId } from '../system/proc.ts';
import type { DoctorContext, HostContainer } from './context.ts';
import { error, type HostFinding, ok, warning } from './finding.ts';

const NAME = 'clock';
/** No host of healthctl is older; certificates would not be valid. */
const EARLIEST_MS = Date.UTC(2024, 0, 1);
/** A synchronized clock is moved by less. */
const JUMP_MS = 2_000;

export async function checkClock(ctx: DoctorContext): Promise<readonly HostFinding[]> {
  const containers = await ctx.containers().catch(() => []); // containerd's own line says why
  const nowMs = ctx.clock.now();
  return clockFindings({
    nowMs,
    isSynchronized: isClockSynchronized(),
    jumpMs: largestJump(containers, { nowMs, bootMs: ctx.clock.boot(), bootId: readBootId() }),
  });
}

/**
 * How far the wall clock was set since the last check of a container, in milliseconds, positive for forward: the end
 * of a check is recorded on it, and on the boot clock.
 */
export function largestJump(
  containers: readonly Pick<HostContainer, 'health'>[],
  { nowMs, bootMs, bootId }: { readonly nowMs: number; readonly bootMs: number; readonly bootId: string },
): number {
  const jumps = containers.flatMap(({ health: { log, state } }) => {
    const last = log.at(-1);
    const isOfBoot = state?.run?.startsWith(`${bootId}:`) === true;
    if (!isOfBoot || last?.endBootMs === undefined || last.endBootMs > bootMs) return [];
    return [nowMs - Date.parse(last.end) - (bootMs - last.endBootMs)];
  });
  return jumps.reduce((largest, jump) => (Math.abs(jump) > Math.abs(largest) ? jump : largest), 0);
}

export function clockFindings(facts: {
  readonly nowMs: number;
  /** Undefined if the kernel does not say. */
  readonly isSynchronized: boolean | undefined;
  readonly jumpMs: number;
}): readonly HostFinding[] {
  const { nowMs, isSynchronized, jumpMs } = facts;
  const time = new Date(nowMs).toISOString();
  if (nowMs < EARLIEST_MS) return [error(NAME, `it says ${time}`, SYNCHRONIZE)];
  const jumped = Math.abs(jumpMs) >= JUMP_MS;
  const by = formatDuration(BigInt(Math.round(Math.abs(jumpMs) / 1_000)) * 1_000_000_000n);
  const found = [
    ...(isSynchronized === false ? [warning(NAME, 'it is not synchronized', SYNCHRONIZE)] : []),
    ...(jumped
      ? [
          warning(
            NAME,
            `it was set ${jumpMs > 0 ? 'forward' : 'back'} by ${by} since the last check`,
            'nothing: checks use another clock, and only times of earlier results are off',
          ),
        ]
      : []),
  ];
  return found.length > 0 ? found : [ok(NAME, isSynchronized ? `${time}, synchronized` : time)];
}

const SYNCHRONIZE = 'have it synchronized, for example by chrony or systemd-timesyncd';
