import { uninstallUnit } from '../../../daemon/service-unit/install.ts';
import type { Command } from '../../command.ts';

/** `healthctl daemon uninstall`: ends the monitor that systemd runs. The health of containers stays. */
export const uninstall: Command = {
  usage: '',
  description: 'Stop the monitor that systemd runs, and remove its unit, and that of its socket.',
  options: [],
  args: { min: 0, max: 0 },
  run: async ({ settings }) => ({ stdout: (await uninstallUnit(settings)).map((name) => `${name}\n`).join('') }),
};
