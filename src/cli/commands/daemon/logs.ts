import { daemonPathsOf } from '../../../daemon/daemon-paths.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import { printable } from '../../../lib/printable.ts';
import { readOwnText } from '../../../system/own-file.ts';
import type { Command } from '../../command.ts';

/** The log is renamed at 1 MiB, but only when a monitor starts. */
const MAX_BYTES = 8 << 20;

/** `healthctl daemon logs`: of a monitor that a command started. One that systemd runs logs to its journal. */
export const logs: Command = {
  usage: '',
  description:
    'Print the log of a monitor that was started in the background. One that systemd runs logs to the journal.',
  options: [],
  args: { min: 0, max: 0 },
  run: async ({ settings, log }) => {
    const { logFile } = daemonPathsOf(settings);
    const onFault = (text: string) => log.warn(text);
    const stdout = readOwnText(logFile, { maxBytes: MAX_BYTES, part: 'end', onFault });
    if (stdout !== undefined) return { stdout: printable(stdout) };
    throw new HealthctlError('NOT_FOUND', `there is no log at ${logFile}`, {
      hint: 'no command has started a monitor; one that systemd runs logs to the journal: journalctl -u healthctl',
    });
  },
};
