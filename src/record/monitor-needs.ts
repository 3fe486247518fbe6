import type { ContainerRecord } from '../containerd/containers.ts';
import { isChecked } from '../health/config.ts';
import { LABELS } from '../lib/labels.ts';
import { logConfigOf, logLimitOf } from './log-config.ts';
import { asksMonitor } from './name-server.ts';
import { restartPolicyOf } from './restart-label.ts';
import { jsonLogOf, storedConfigOf } from './stored-config.ts';
import { givenHealthConfigOf } from './view.ts';

/** Reasons why a running container needs a monitor. */
export interface MonitorNeeds {
  /** It has a health check. */
  readonly check: boolean;
  /** It is restarted when it ends. */
  readonly restart: boolean;
  /** It is removed when it ends. */
  readonly removal: boolean;
  /** Its output is limited in size. */
  readonly logLimit: boolean;
  /** Its output is written as Docker's json-file. */
  readonly jsonLog: boolean;
  /** It asks the monitor's DNS server. */
  readonly names: boolean;
}

/** Pure. These reasons make a command start a monitor, and keep such a monitor running. */
export function monitorNeedsOf(record: Pick<ContainerRecord, 'labels' | 'extensionJson'>): MonitorNeeds {
  const { labels } = record;
  const stored = labels[LABELS.owner] === undefined ? undefined : storedConfigOf(record);
  return {
    check: isChecked(givenHealthConfigOf(labels)),
    restart: restartPolicyOf(labels).name !== 'no',
    removal: stored?.HostConfig.AutoRemove === true,
    logLimit: stored !== undefined && logLimitOf(logConfigOf(stored.HostConfig)) !== undefined,
    jsonLog: stored !== undefined && jsonLogOf(stored) !== undefined,
    names: stored !== undefined && asksMonitor(stored),
  };
}
