import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { isNotLoaded, type Systemd, systemd } from '../../system/systemd.ts';

/** Where systemd keeps the units that programs made while it runs. */
const TRANSIENT_UNITS = '/run/systemd/transient';
/** `nerdctl start` makes the timer and then starts its service, which fails once the timer is gone: until then it is left alone. */
const SETTLE_MS = 3_000;
/** Ids that nerdctl and healthctl give: a unit of another name is somebody else's. */
const ID = /^[0-9a-f]{64}$/;

export interface NerdctlTimerDeps {
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  readonly systemd?: Pick<Systemd, 'run'>;
  readonly unitsDir?: string;
}

/** Whether nerdctl checks a container: by a transient timer with its id for a name, which `nerdctl run` and `nerdctl start` make. */
export const hasNerdctlTimer = (id: string, unitsDir: string = TRANSIENT_UNITS): boolean =>
  existsSync(join(unitsDir, `${id}.timer`));

/** Whether it has one that was not made only just now. @param nowMs wall time */
export function isNerdctlTimerSettled(id: string, nowMs: number, unitsDir: string = TRANSIENT_UNITS): boolean {
  const made = statSync(join(unitsDir, `${id}.timer`), { throwIfNoEntry: false });
  // A time that is to come was noted before the clock was set back.
  return made !== undefined && Math.abs(nowMs - made.mtimeMs) >= SETTLE_MS;
}

/**
 * Ends nerdctl's timer of a container, as `nerdctl stop` and `rm` do, and what is left of its last check: a service that failed keeps the name,
 * so that the next `nerdctl start` beside 2.1.5 fails.
 *
 * @returns whether it is gone; that it could not be ended is warned of
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
