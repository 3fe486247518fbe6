import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { APPARMOR_PROFILE_TEXT, DEFAULT_APPARMOR_PROFILE } from '../../system/apparmor.ts';

export interface BootPlaces {
  /** What the host loads profiles from at boot. */
  readonly profileDir: string;
  readonly unitDir: string;
}

/** Has the host load our profile at boot, because the unit of the monitor has not the right to. Nothing where the host has no place for profiles. */
export function loadProfileAtBoot({ profileDir }: BootPlaces, write: (path: string, text: string) => void): void {
  if (existsSync(profileDir)) write(join(profileDir, DEFAULT_APPARMOR_PROFILE), APPARMOR_PROFILE_TEXT);
}

/** Takes it back when the last unit of a monitor is gone. */
export function forgetProfileAtBoot({ profileDir, unitDir }: BootPlaces): void {
  if (unitsIn(unitDir).length > 0) return;
  rmSync(join(profileDir, DEFAULT_APPARMOR_PROFILE), { force: true });
}

/** The units of monitors in a directory, by name. */
export function unitsIn(unitDir: string): readonly string[] {
  return existsSync(unitDir) ? readdirSync(unitDir).filter((name) => UNIT_NAME.test(name)) : [];
}

/** See unitNameOf. */
const UNIT_NAME = /^healthctl(-[0-9a-f]{8})?\.service$/;
