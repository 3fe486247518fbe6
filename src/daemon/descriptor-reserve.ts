import type { Clock } from '../lib/clock.ts';
import { errnoOf, HealthctlError } from '../lib/errors.ts';
import type { ContainerProber } from '../probe/container-prober.ts';
import type { Descriptors } from '../system/descriptors.ts';

/** Descriptors reserved for the API, so that it can report that checks cannot be made. */
export const DESCRIPTOR_RESERVE = 6;
/** Counting takes time in proportion to the open ones. */
const COUNT_EVERY_MS = 1_000;

/** A prober that does not use the last descriptors of this process: it throws EXHAUSTED instead. */
export function withDescriptorReserve(
  prober: ContainerProber,
  { clock, read }: { readonly clock: Pick<Clock, 'monotonic'>; readonly read: () => Descriptors },
): ContainerProber {
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let lack: HealthctlError | undefined;
  return {
    ...prober,
    probe: async (target, command, signal) => {
      if (clock.monotonic() - lookedAtMs >= COUNT_EVERY_MS) {
        lack = lackOf(read);
        lookedAtMs = clock.monotonic();
      }
      if (lack) throw lack;
      return prober.probe(target, command, signal);
    },
  };
}

function lackOf(read: () => Descriptors): HealthctlError | undefined {
  try {
    const { open, limit } = read();
    if (limit - open >= DESCRIPTOR_RESERVE) return undefined;
    return noneLeft(`${open} of ${limit} are in use`);
  } catch (error) {
    if (errnoOf(error) !== 'EMFILE' && errnoOf(error) !== 'ENFILE') throw error;
    return noneLeft('all are in use');
  }
}

function noneLeft(why: string): HealthctlError {
  return new HealthctlError('EXHAUSTED', `no file descriptors are left for checks: ${why}`, {
    hint: 'raise the limit of the monitor: LimitNOFILE= of its unit, or ulimit -n',
  });
}
