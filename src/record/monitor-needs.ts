import type { ContainerRecord } from '../containerd/containers.ts';
import { isChecked } from '../health/config.ts';
import { LABELS } from '../lib/labels.ts';
import { logConfigOf, logLimitOf } from './log-config.ts';
import { restartPolicyOf } from './restart-label.ts';
import { jsonLogOf, storedConfigOf } from './stored-config.ts';
import { givenHealthConfigOf } from './view.ts';

/** What a container that runs needs a monitor for. */
export interface MonitorNeeds {
  /** Its health is checked. */
  readonly check: boolean;
  /** It is started again when it has ended. */
  readonly restart: boolean;
  /** It is removed when it has ended. */
  readonly removal: boolean;
  /** Its output is limited in size. */
  readonly logLimit: boolean;
  /** Its output is written as Docker's json-file. */
  readonly jsonLog: boolean;
}

/** Pure. What commands start a monitor for, and what keeps one that they started from ending. */
export function monitorNeedsOf(record: Pick<ContainerRecord, 'labels' | 'extensionJson'>): MonitorNeeds {
  const { labels } = record;
  const stored = labels[LABELS.owner] === undefined ? undefined : storedConfigOf(record);
  return {
    check: isChecked(givenHealthConfigOf(labels)),
    restart: restartPolicyOf(labels).name !== 'no',
    removal: stored?.HostConfig.AutoRemove === true,
    logLimit: stored !== undefined && logLimitOf(logConfigOf(stored.HostConfig)) !== undefined,
    jsonLog: stored !== undefined && jsonLogOf(stored) !== undefined,
  };
}
