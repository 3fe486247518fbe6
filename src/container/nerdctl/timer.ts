import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { isNotLoaded, type Systemd, systemd, TRANSIENT_UNITS } from '../../system/systemd.ts';

/**
 * `nerdctl start` creates the timer and then starts its service, which fails if the timer is gone: until then we leave
 * it alone.
 */
const SETTLE_MS = 3_000;
/** The form of nerdctl's and healthctl's ids: a unit with another name is foreign. */
const ID = /^[0-9a-f]{64}$/;

export interface NerdctlTimerDeps {
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  readonly systemd?: Pick<Systemd, 'run'>;
  readonly unitsDir?: string;
}

/**
 * Whether nerdctl checks a container: with a transient timer named by its id, which `nerdctl run` and `nerdctl start`
 * create.
 */
export const hasNerdctlTimer = (id: string, unitsDir: string = TRANSIENT_UNITS): boolean =>
  existsSync(join(unitsDir, `${id}.timer`));

/** Whether it has a timer that was not created just now. @param nowMs wall time */
export function isNerdctlTimerSettled(id: string, nowMs: number, unitsDir: string = TRANSIENT_UNITS): boolean {
  const made = statSync(join(unitsDir, `${id}.timer`), { throwIfNoEntry: false });
  // A time in the future was recorded before the clock was set back.
  return made !== undefined && Math.abs(nowMs - made.mtimeMs) >= SETTLE_MS;
}

/**
 * Ends nerdctl's timer of a container, like `nerdctl stop` and `rm`, and what is left of its last check: a failed
 * service keeps the name, so that the next `nerdctl start` with 2.1.5 would fail.
 *
 * @returns whether it is gone; a failure is a warning
 */
export async function endNerdctlTimer(id: string, deps: NerdctlTimerDeps): Promise<boolean> {
  const { log, systemd: own = systemd, unitsDir = TRANSIENT_UNITS } = deps;
  if (!ID.test(id)) return false;
  const units = [`${id}.timer`, `${id}.service`].filter((unit) => existsSync(join(unitsDir, unit)));
  if (units.length === 0) return true;
  try {
    await own.run('systemctl', ['stop', ...units]);
  } catch (error) {
    if (!isNotLoaded(error)) {
      log.warn(`nerdctl's timer of container ${id.slice(0, 12)} could not be stopped: ${messageOf(error)}`);
      return false;
    }
  }
  try {
    await own.run('systemctl', ['reset-failed', `${id}.service`]);
  } catch (error) {
    log.debug(`unit ${id}.service had not failed: ${messageOf(error)}`);
  }
  return true;
}
