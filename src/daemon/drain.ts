import { constants } from 'node:fs';
import type { Clock } from '../lib/clock.ts';
import { errnoOf, hasCode } from '../lib/errors.ts';
import { lockFile } from '../system/flock.ts';
import { createDaemonClient, type DaemonClient } from './api/client.ts';
import { REQUESTS } from './api/requests.ts';
import { API_VERSION } from './api/version.ts';
import type { DaemonPaths } from './daemon-paths.ts';
import { deniedMonitorError, endingMonitorError, newerMonitorError, silentMonitorError } from './lock-holder.ts';

/** A monitor drains within ten seconds. */
const LIMIT_MS = 15_000;

/**
 * Asks the monitor to end, also one that an older healthctl started, and waits until it has released everything. It is
 * no error if none runs.
 *
 * @throws UNAVAILABLE if it does not answer, TIMEOUT if it does not end; DENIED, CONFLICT, ABORTED
 */
export async function drainDaemon(
  paths: DaemonPaths,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  for (let apiVersion = API_VERSION; apiVersion > 0; apiVersion -= 1) {
    const client = createDaemonClient(paths.apiSocket, { apiVersion });
    await askToEnd(client, signal);
    const { unanswered } = client;
    if (unanswered?.kind === 'silent') throw silentMonitorError(paths);
    if (unanswered?.kind === 'denied') throw deniedMonitorError(paths);
    if (unanswered?.kind === 'other-version' && unanswered.apiVersion > API_VERSION) throw newerMonitorError(paths);
  }
  try {
    const lock = await lockFile(
      { path: paths.lock, flags: constants.O_RDWR | constants.O_CREAT, timeoutMs: LIMIT_MS, signal },
      clock,
    );
    lock.release();
  } catch (error) {
    if (hasCode(error, 'TIMEOUT')) throw endingMonitorError(paths);
    if (errnoOf(error) !== 'ENOENT') throw error; // there has never been one
  }
}

/** How long one try waits for the lock. */
const LOCK_TRY_MS = 50;

/**
 * Waits while a monitor holds the lock and does not listen: it starts, or ends. Resolves when it can be asked, or has
 * gone.
 *
 * @throws TIMEOUT if it does neither; ABORTED
 */
export async function awaitMonitor(
  paths: DaemonPaths,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const deadline = clock.monotonic() + LIMIT_MS;
  for (;;) {
    const client = createDaemonClient(paths.apiSocket);
    if ((await client.ask(REQUESTS.anyStatus, signal)) || client.unanswered?.kind !== 'absent') return;
    try {
      const lock = await lockFile({ path: paths.lock, flags: constants.O_RDWR, timeoutMs: LOCK_TRY_MS, signal }, clock);
      lock.release();
      return;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return; // there has never been one
      if (!hasCode(error, 'TIMEOUT')) throw error;
      if (clock.monotonic() >= deadline) throw endingMonitorError(paths);
    }
  }
}

/** By its id: a request that is read late ends no other monitor. */
async function askToEnd(client: DaemonClient, signal: AbortSignal): Promise<void> {
  const answer = await client.ask(REQUESTS.anyStatus, signal);
  if (!answer) return;
  const { id } = answer.value;
  try {
    await (typeof id === 'string' ? client.ask(REQUESTS.end(id), signal) : client.ask(REQUESTS.endWithoutId, signal));
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error; // another one has replaced it
  }
}
