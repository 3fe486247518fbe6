import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../lib/errors.ts';

/** Where the system's programs are, for us and for the plugins that call iptables: not the PATH of the caller. */
export const TOOL_DIRS: readonly string[] = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
  '/run/current-system/sw/bin',
];

/** The path of a system program; undefined if it is not installed. */
export function findTool(name: string, dirs: readonly string[] = TOOL_DIRS): string | undefined {
  return dirs.map((dir) => join(dir, name)).find(isProgram);
}

/** Whether there is a file at the path that we may execute. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}
