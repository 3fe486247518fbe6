import { NO_RESTART, parseRestartPolicy, type RestartPolicy } from '../health/restart-policy.ts';
import { LABELS } from '../lib/labels.ts';
import { givenHealthConfigOf } from './view.ts';

type Labels = Readonly<Record<string, string>>;

/** The policy in the labels; none for a container under containerd's own restart plugin. */
export function restartPolicyOf(labels: Labels): RestartPolicy {
  const text = labels[LABELS.restart];
  if (text === undefined || isRestartedByContainerd(labels)) return NO_RESTART;
  try {
    return parseRestartPolicy(text);
  } catch {
    return NO_RESTART;
  }
}

/**
 * Whether containerd's restart plugin restarts the container: `nerdctl run --restart`, `nerdctl update --restart`. Only
 * this label decides (containerd: plugins/restart/monitor.go). Others under `containerd.io/restart.` configure the
 * plugin; nerdctl also writes them on containers of other tools.
 */
export const isRestartedByContainerd = (labels: Labels): boolean => (labels[LABELS.restartPluginStatus] ?? '') !== '';

/**
 * Whether it may be restarted without a user: by a monitor, for its policy or after it was unhealthy, or by containerd.
 */
export function mayBeRestarted(labels: Labels): boolean {
  return (
    isRestartedByContainerd(labels) ||
    restartPolicyOf(labels).name !== 'no' ||
    givenHealthConfigOf(labels)?.onFailure === 'restart'
  );
}

/**
 * Whether a user stopped it, or an action did so permanently: no restart policy may start it until the next start.
 *
 * If containerd's label is present, it was written last: healthctl writes it together with its own note, and only
 * nerdctl's `start` reverts both.
 */
export function isStoppedByUser(labels: Labels): boolean {
  const stoppedNote = labels[LABELS.explicitlyStopped] ?? '';
  return stoppedNote === '' ? (labels[LABELS.stopped] ?? '') !== '' : /^(1|t|true)$/i.test(stoppedNote);
}

/**
 * The labels that record a stop, for healthctl and for containerd's restart plugin.
 * @param note healthctl's own value
 */
export const stoppedLabels = (note: string): Labels => ({ [LABELS.stopped]: note, [LABELS.explicitlyStopped]: 'true' });

/** The labels that revert the record of a stop. */
export const startedLabels = (labels: Labels): Labels => ({
  [LABELS.stopped]: '',
  [LABELS.explicitlyStopped]: isRestartedByContainerd(labels) ? 'false' : '',
});
