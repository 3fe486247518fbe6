import { silentLogger } from '../../lib/logger.ts';
import { createWorld, type World } from '../../world.ts';
import type { GivenOptions } from '../command.ts';
import { loadSettings } from '../config/config.ts';
import { globalFlagsFrom, globalOptions } from '../grammar/globals.ts';
import { parseArguments } from '../grammar/parse.ts';
import type { NameSource } from './candidates.ts';
import { openNames } from './names.ts';

/**
 * Names by the settings of the command line that is being written. There are none if its global options are wrong.
 */
export async function openNamesOfLine(
  world: World,
  globals: GivenOptions,
): Promise<{ readonly namesOf: NameSource; close(): Promise<void> }> {
  try {
    const words = [...globals].flatMap(([name, values]) => values.map((value) => `--${name}=${value}`));
    const flags = globalFlagsFrom(parseArguments(globalOptions, words).options);
    const settings = await loadSettings(flags, world.env);
    const own = createWorld({ ...world, settings, log: silentLogger });
    return { namesOf: openNames(own), close: own.close };
  } catch {
    return { namesOf: async () => [], close: async () => {} };
  }
}
