import { constants } from 'node:fs';
import { createDaemonClient } from '../../../daemon/client.ts';
import { daemonPlacesOf } from '../../../daemon/places.ts';
import { errnoOf } from '../../../lib/errors.ts';
import { lockFile } from '../../../system/flock.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandResult } from '../../command.ts';

/** A monitor drains within ten seconds. */
const STOP_LIMIT_MS = 15_000;

/** `healthctl daemon stop`: resolves when it has ended; one that does not run is fine. */
export const stop: Command = {
  usage: '',
  description: 'Ask the monitor to end, and wait until it has.',
  options: [],
  args: { min: 0, max: 0 },
  run: (world) => stopDaemon(world),
};

async function stopDaemon({ settings, clock, signal }: World): Promise<CommandResult> {
  const places = daemonPlacesOf(settings);
  await createDaemonClient(places.apiSocket).ask('POST', '/daemon/stop', signal);
  try {
    const lock = await lockFile(
      { path: places.lock, flags: constants.O_RDWR, timeoutMs: STOP_LIMIT_MS, signal },
      clock,
    );
    lock.release();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error; // there has never been one
  }
  return {};
}
