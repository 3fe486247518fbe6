import { dirname } from 'node:path';
import { hostIdOf } from '../../lib/dirs.ts';
import type { Settings } from '../../lib/settings.ts';
import { makeOwnDirectory, readOwnText } from '../../system/own-file.ts';
import { isSystemdRunning, type Systemd, systemd as systemdHere } from '../../system/systemd.ts';
import { daemonPathsOf } from '../daemon-paths.ts';
import { configFileOf, NODE_ENVIRONMENT } from '../node-process.ts';
import { isUnitInstalled, startUnit } from './install.ts';

/**
 * Starts a monitor through systemd: the installed unit if there is one, else a transient one, so that it does not end
 * with the caller's session or service. Undefined without systemd.
 *
 * Resolves when the monitor is ready; throws UNAVAILABLE if it does not start.
 */
export function systemdStarter(
  settings: Settings,
  env: Readonly<Record<string, string | undefined>>,
  systemd: Systemd = systemdHere,
): ((command: readonly string[]) => Promise<void>) | undefined {
  if (!isSystemdRunning()) return undefined;
  if (isUnitInstalled(settings)) return () => startUnit(settings, systemd);
  const configFile = configFileOf(env);
  return async (command) => {
    const { logFile } = daemonPathsOf(settings);
    makeOwnDirectory(dirname(logFile));
    readOwnText(logFile, { maxBytes: 0, part: 'end' }); // sets aside an object that systemd would wait for, or follow
    const properties = ['Type=notify', 'NotifyAccess=main', 'TimeoutStopSec=15', `StandardError=append:${logFile}`];
    await systemd.run('systemd-run', [
      ...['--quiet', '--collect', `--unit=healthctl-auto-${hostIdOf(settings.address)}`],
      ...['--description=healthctl, started by a command'],
      ...properties.map((property) => `--property=${property}`),
      ...Object.entries(NODE_ENVIRONMENT).map(([name, value]) => `--setenv=${name}=${value}`),
      ...(configFile === undefined ? [] : [`--setenv=HEALTHCTL_TOML=${configFile}`]),
      ...['--', ...command],
    ]);
  };
}
