import { hasNerdctlTimer } from '../../container/nerdctl/timer.ts';
import { LABELS } from '../../lib/labels.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import type { MonitorSettings } from '../../lib/settings.ts';
import { keyOf, type Watched } from '../host-model.ts';

/**
 * Whose checks are nerdctl's to make. It makes a transient timer named after the container when that starts.
 *
 * A container of ours is always ours: a timer of nerdctl's on it, which `nerdctl start` makes, is ended.
 */
export function createAdoption(options: {
  readonly adopt: MonitorSettings['adopt'];
  readonly log: Pick<ServiceLogger, 'info'>;
  /** Whether nerdctl made it: see isNerdctls in src/store/state-dir.ts. */
  readonly isNerdctls: (container: Watched) => boolean;
  readonly endTimer: (container: Watched) => Promise<boolean>;
  readonly unitsDir?: string;
}): (container: Watched) => boolean {
  const { adopt, log, isNerdctls, endTimer, unitsDir } = options;
  const ending = new Set<string>();
  const hasTimer = (id: string): boolean => hasNerdctlTimer(id, unitsDir);
  return (container) => {
    const { id, record } = container;
    const isOurs = record.labels[LABELS.owner] !== undefined;
    if (isOurs) {
      if (!ending.has(id) && hasTimer(id)) {
        ending.add(id);
        void endTimer(container).then((isEnded) => {
          if (!isEnded) return; // warned of, and not tried again
          ending.delete(id);
          log.info(
            `container ${keyOf(container)}: ended the systemd timer ${id}.timer, by which nerdctl checked it too`,
          );
        });
      }
      return false;
    }
    if (!isNerdctls(container) || adopt === 'always') return false;
    return adopt === 'never' || hasTimer(id);
  };
}
