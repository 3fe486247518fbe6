import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LABELS } from '../lib/labels.ts';
import type { Logger } from '../lib/logger.ts';
import type { MonitorSettings } from '../lib/settings.ts';
import { keyOf, type Watched } from '../monitor/host-model.ts';

/** Where systemd keeps the units that programs made while it runs. */
const TRANSIENT_UNITS = '/run/systemd/transient';

/**
 * Whose checks are nerdctl's to make. It makes a transient timer named after the container when that starts.
 *
 * A container of ours is always ours: a timer of nerdctl's on it, which `nerdctl start` makes, is told of once.
 */
export function createAdoption(options: {
  readonly adopt: MonitorSettings['adopt'];
  readonly log: Logger;
  /** Whether nerdctl made it: see isNerdctls in src/store/state-dir.ts. */
  readonly isNerdctls: (container: Watched) => boolean;
  readonly unitsDir?: string;
}): (container: Watched) => boolean {
  const { adopt, log, isNerdctls, unitsDir = TRANSIENT_UNITS } = options;
  const told = new Set<string>();
  const hasTimer = (id: string): boolean => existsSync(join(unitsDir, `${id}.timer`));
  return (container) => {
    const { id, record } = container;
    const isOurs = record.labels[LABELS.owner] !== undefined;
    if (isOurs) {
      if (!told.has(id) && hasTimer(id)) {
        told.add(id);
        log.warn(
          `container ${keyOf(container)}: nerdctl checks it too, by the systemd timer ${id}.timer: systemctl stop ${id}.timer`,
        );
      }
      return false;
    }
    if (!isNerdctls(container) || adopt === 'always') return false;
    return adopt === 'never' || hasTimer(id);
  };
}
