import { HealthctlError } from '../lib/errors.ts';
import { readOwnText } from '../system/own-file.ts';
import type { DaemonPlaces } from './places.ts';

/** Where a monitor that holds the lock writes its process id. */
export const ownerFileOf = ({ lock }: Pick<DaemonPlaces, 'lock'>): string => `${lock}.owner`;

/** The process id of the monitor that holds the lock, or `unknown`. */
export function ownerOf(places: Pick<DaemonPlaces, 'lock'>): string {
  const text = readOwnText(ownerFileOf(places))?.trim() ?? '';
  return /^\d{1,10}$/.test(text) ? text : 'unknown';
}

/** A monitor that runs and says nothing: it was stopped by a signal, say, or is stuck in a file system that hangs. */
export function silentMonitorError(places: Pick<DaemonPlaces, 'lock'>): HealthctlError {
  const pid = ownerOf(places);
  return new HealthctlError('UNAVAILABLE', `the monitor, process ${pid}, does not answer`, {
    hint: `if it was stopped, let it go on with "kill -CONT ${pid}"; else end it with "kill -KILL ${pid}": nothing is lost`,
  });
}
