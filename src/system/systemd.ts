import { existsSync } from 'node:fs';
import { errnoOf, HealthctlError } from '../lib/errors.ts';

/** The systemd of this machine. */
export interface Systemd {
  /**
   * Throws UNAVAILABLE if systemd does not manage the machine.
   * @param hint what to do then; default: start the monitor in another way
   */
  require(hint?: string): void;
  /** Runs one of systemd's programs. Throws UNAVAILABLE with its message if it fails. */
  run(program: 'systemctl' | 'systemd-run', args: readonly string[]): Promise<string>;
}

/** sd_booted(3). */
const BOOTED = '/run/systemd/system';
/** Starting a unit waits until it is ready; systemd itself gives up a job after 90 s. */
const LIMIT_MS = 120_000;

/** systemd's directory of transient units: those that programs created at run time. */
export const TRANSIENT_UNITS = '/run/systemd/transient';

export function isSystemdRunning(): boolean {
  return existsSync(BOOTED);
}

export const systemd: Systemd = {
  require: (
    hint = 'start the monitor with "healthctl daemon start", or have your init system run "healthctl daemon"',
  ) => {
    if (isSystemdRunning()) return;
    throw new HealthctlError('UNAVAILABLE', 'this machine is not run by systemd', { hint });
  },
  run: async (program, args) => {
    const { execFile } = await import('node:child_process');
    return new Promise((resolve, reject) => {
      execFile(program, args, { timeout: LIMIT_MS, env: environment(), maxBuffer: 64 << 20 }, (error, out, err) => {
        if (error) reject(failureOf(program, args, error, err));
        else resolve(out);
      });
    });
  },
};

// systemd's programs exit with 1, and only their message gives the reason. No other file matches these texts.

/** Whether the unit to stop is gone. */
export const isNotLoaded = (error: unknown): boolean =>
  error instanceof HealthctlError && /not loaded/.test(error.message);

/** Whether another unit still has the name of the unit to create. */
export const isNameTaken = (error: unknown): boolean =>
  error instanceof HealthctlError && /already (loaded|exists)|has a fragment file/.test(error.message);

/** We match texts, so we ask for English; a pager would wait for a key. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' };
}

function failureOf(program: string, args: readonly string[], cause: Error, stderr: string): HealthctlError {
  if (errnoOf(cause) === 'ENOENT')
    return new HealthctlError('UNAVAILABLE', `${program} is not installed`, { cause, hint: 'it comes with systemd' });
  const words = args.filter((word) => !word.startsWith('-')).slice(0, 2);
  // The first line names the failure; systemctl then says where to look.
  const said = stderr.split('\n').find((line) => line.trim() !== '' && !line.startsWith('Warning:'));
  return new HealthctlError('UNAVAILABLE', `${[program, ...words].join(' ')}: ${said || cause.message}`, { cause });
}
