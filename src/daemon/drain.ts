import { constants } from 'node:fs';
import type { Clock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errors.ts';
import { lockFile } from '../system/flock.ts';
import { createDaemonClient } from './client.ts';
import { silentMonitorError } from './owner.ts';
import type { DaemonPlaces } from './places.ts';
import { API_VERSION } from './version.ts';

/** A monitor drains within ten seconds. */
const LIMIT_MS = 15_000;

/**
 * Asks the monitor to end, also one that an older healthctl started, and waits until it has let go of everything. One that does not run is
 * fine.
 *
 * @throws UNAVAILABLE when it does not answer, TIMEOUT when it does not end; ABORTED
 */
export async function drainDaemon(
  places: DaemonPlaces,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  for (let apiVersion = API_VERSION; apiVersion > 0; apiVersion -= 1) {
    const client = createDaemonClient(places.apiSocket, { apiVersion });
    await client.ask('POST', '/daemon/stop', signal);
    if (client.isSilent) throw silentMonitorError(places);
  }
  try {
    const lock = await lockFile(
      { path: places.lock, flags: constants.O_RDWR | constants.O_CREAT, timeoutMs: LIMIT_MS, signal },
      clock,
    );
    lock.release();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error; // there has never been one
  }
}
