import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { APPARMOR_PROFILE_TEXT, DEFAULT_APPARMOR_PROFILE } from '../../system/apparmor.ts';

export interface BootDirs {
  /** The directory of profiles that the host loads at boot. */
  readonly profileDir: string;
  readonly unitDir: string;
}

/**
 * Installs our profile for the host to load at boot, because the monitor's unit lacks the right to load it. Does
 * nothing if the host has no directory for profiles.
 */
export function loadProfileAtBoot({ profileDir }: BootDirs, write: (path: string, text: string) => void): void {
  if (existsSync(profileDir)) write(join(profileDir, DEFAULT_APPARMOR_PROFILE), APPARMOR_PROFILE_TEXT);
}

/** Removes it when the last unit of a monitor is gone. */
export function forgetProfileAtBoot({ profileDir, unitDir }: BootDirs): void {
  if (unitsIn(unitDir).length > 0) return;
  rmSync(join(profileDir, DEFAULT_APPARMOR_PROFILE), { force: true });
}

/** The units of monitors in a directory, by name. */
export function unitsIn(unitDir: string): readonly string[] {
  return existsSync(unitDir) ? readdirSync(unitDir).filter((name) => UNIT_NAME.test(name)) : [];
}

/** See unitNameOf. */
const UNIT_NAME = /^healthctl(-[0-9a-f]{8})?\.service$/;
