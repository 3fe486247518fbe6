import { readFileSync } from 'node:fs';
import { daemonPlacesOf } from '../../../daemon/places.ts';
import { errnoOf, HealthctlError } from '../../../lib/errors.ts';
import { printable } from '../../../lib/printable.ts';
import type { Command } from '../../command.ts';

/** `healthctl daemon logs`: of a monitor that a command started. One that systemd runs logs to its journal. */
export const logs: Command = {
  usage: '',
  description:
    'Print the log of a monitor that was started in the background. One that systemd runs logs to the journal.',
  options: [],
  args: { min: 0, max: 0 },
  run: async ({ settings }) => {
    const { logFile } = daemonPlacesOf(settings);
    try {
      return { stdout: printable(readFileSync(logFile, 'utf8')) };
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      throw new HealthctlError('NOT_FOUND', `there is no log at ${logFile}`, {
        hint: 'no command has started a monitor; one that systemd runs logs to the journal: journalctl -u healthctl',
      });
    }
  },
};
