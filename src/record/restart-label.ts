import { NO_RESTART, parseRestartPolicy, type RestartPolicy } from '../health/restart-policy.ts';
import { LABELS } from '../lib/labels.ts';
import { givenHealthConfigOf } from './view.ts';

type Labels = Readonly<Record<string, string>>;

/** The policy that the labels hold; none for a container that containerd's own restart plugin keeps. */
export function restartPolicyOf(labels: Labels): RestartPolicy {
  const text = labels[LABELS.restart];
  if (text === undefined || isKeptByContainerd(labels)) return NO_RESTART;
  try {
    return parseRestartPolicy(text);
  } catch {
    return NO_RESTART;
  }
}

/**
 * Whether containerd's restart plugin keeps the container: `nerdctl run --restart`, `nerdctl update --restart`. The plugin goes by this one label
 * (containerd: plugins/restart/monitor.go). Others under `containerd.io/restart.` tell it how; nerdctl writes them on containers of anybody.
 */
export const isKeptByContainerd = (labels: Labels): boolean => (labels[LABELS.keptStatus] ?? '') !== '';

/** Whether anybody may start it by itself: a monitor, by its policy or after it was unhealthy, or containerd. */
export function mayBeRestarted(labels: Labels): boolean {
  return (
    isKeptByContainerd(labels) ||
    restartPolicyOf(labels).name !== 'no' ||
    givenHealthConfigOf(labels)?.onFailure === 'restart'
  );
}

/**
 * Whether a user stopped it, or an action did so for good: until the next start nobody may start it by itself.
 *
 * Where containerd's label is there it was written last: healthctl writes it with its own note, and nerdctl's `start` alone takes back what both say.
 */
export function isStoppedByUser(labels: Labels): boolean {
  const told = labels[LABELS.explicitlyStopped] ?? '';
  return told === '' ? (labels[LABELS.stopped] ?? '') !== '' : /^(1|t|true)$/i.test(told);
}

/** What records a stop, for healthctl and for containerd's restart plugin. @param note what healthctl keeps of it */
export const stoppedLabels = (note: string): Labels => ({ [LABELS.stopped]: note, [LABELS.explicitlyStopped]: 'true' });

/** What takes the record of a stop back. */
export const startedLabels = (labels: Labels): Labels => ({
  [LABELS.stopped]: '',
  [LABELS.explicitlyStopped]: isKeptByContainerd(labels) ? 'false' : '',
});
