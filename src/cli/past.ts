import { REQUESTS } from '../daemon/api/requests.ts';
import { humanDuration } from '../go/units.ts';
import { type PastContainer, pastContainers } from '../history/containers.ts';
import { DAY_MS, historyDirOf } from '../history/files.ts';
import { type HistoryReader, openHistoryReader } from '../history/reader.ts';
import { errnoOf, HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import type { World } from '../world.ts';
import { openMonitor } from './monitor/open.ts';

/** The history of this containerd, from its files. */
export interface Past {
  readonly reader: HistoryReader;
  readonly containers: readonly PastContainer[];
  readonly warnings: readonly string[];
}

/** Longer than the monitor goes without writing: see HEARTBEAT_MS in src/history/recorder.ts. */
const SILENT_MS = 3 * 60_000;

/**
 * A monitor that runs writes its newest results first.
 *
 * @throws NOT_FOUND without a history, DENIED without permission
 */
export async function openPast(world: Pick<World, 'settings' | 'clock' | 'log' | 'signal'>): Promise<Past> {
  const { settings, clock, log } = world;
  await flushHistory(world);
  const { history } = settings;
  const nowMs = clock.now();
  const dir = historyDirOf(settings);
  const reader = openHistoryReader(dir, { onFault: (text) => log.warn(text) });
  const lastMs = lastWriteOf(reader, dir);
  if (lastMs === undefined)
    throw new HealthctlError('NOT_FOUND', 'there is no history of this containerd yet', {
      hint: history.isEnabled
        ? 'the monitor writes it: "healthctl daemon status" shows whether it runs'
        : 'it is turned off: [history] enabled = false',
    });
  const silentMs = nowMs - lastMs;
  const warnings =
    silentMs > SILENT_MS
      ? [`no monitor has written the history for ${humanDuration(silentMs).toLowerCase()}: what follows ends there`]
      : [];
  // One more day: its changes begin with the phases of all containers.
  const changes = reader.changes({ fromMs: nowMs - history.maxAgeMs - DAY_MS, toMs: nowMs });
  return { reader, containers: pastContainers(changes), warnings };
}

function lastWriteOf(reader: HistoryReader, dir: string): number | undefined {
  try {
    return reader.lastMs();
  } catch (error) {
    if (errnoOf(error) !== 'EACCES') throw error;
    throw new HealthctlError('DENIED', `the history in ${dir} cannot be read: permission denied`, {
      hint: 'run this as root',
      cause: error,
    });
  }
}

/** Has the monitor write its newest results. An older monitor does not know the request: what it has written is read. */
export async function flushHistory(world: Pick<World, 'settings' | 'clock' | 'log' | 'signal'>): Promise<void> {
  try {
    await openMonitor(world).ask(REQUESTS.flushHistory, world.signal);
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
    world.log.debug(`the monitor does not write its history on request: ${messageOf(error)}`);
  }
}
