import { NO_RESTART, parseRestartPolicy, type RestartPolicy } from '../health/restart-policy.ts';
import { LABELS } from '../lib/labels.ts';
import { givenHealthConfigOf } from './view.ts';

/** The policy that the labels hold. containerd's own restart plugin acts on labels of its own: what carries them has a keeper. */
export function restartPolicyOf(labels: Readonly<Record<string, string>>): RestartPolicy {
  const text = labels[LABELS.restart];
  if (text === undefined || Object.keys(labels).some((key) => key.startsWith('containerd.io/restart.')))
    return NO_RESTART;
  try {
    return parseRestartPolicy(text);
  } catch {
    return NO_RESTART;
  }
}

/** Whether a monitor may start it by itself, by its policy or after it was unhealthy. */
export function mayBeRestarted(labels: Readonly<Record<string, string>>): boolean {
  return restartPolicyOf(labels).name !== 'no' || givenHealthConfigOf(labels)?.onFailure === 'restart';
}
