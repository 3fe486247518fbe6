import { realpathSync } from 'node:fs';
import { configFileOf } from '../daemon/node-process.ts';
import type { World } from '../world.ts';

/**
 * How systemd starts this healthctl: by absolute paths, because it has neither the caller's PATH nor its environment.
 *
 * @param nodeFlags options of Node.js
 */
export function programOf(
  { env }: Pick<World, 'env'>,
  nodeFlags: readonly string[] = [],
): {
  readonly program: readonly string[];
  readonly configFile: string | undefined;
} {
  return {
    program: [process.execPath, ...nodeFlags, '--', realpathSync(process.argv[1] ?? '')],
    configFile: configFileOf(env),
  };
}
