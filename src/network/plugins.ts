import { join } from 'node:path';
import { HealthctlError } from '../lib/errors.ts';
import { findTool, isProgram } from '../system/programs.ts';
import { type ProgramContext, runProgram } from '../system/run-program.ts';

/** The CNI plugins that a bridge network needs. */
const BRIDGE_PLUGINS = ['bridge', 'host-local', 'portmap'] as const;

/** Where distributions and other tools put CNI plugins. */
const PLUGIN_DIRS = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni', '/usr/local/libexec/cni'];

/**
 * A plugin's configuration in the form of CNI's specification (0.4.0, which every release of the plugins since 2019
 * supports).
 */
export type PluginConfig = Readonly<Record<string, unknown>> & { readonly type: string };

/** The directory with all plugins. Throws NOT_FOUND with what to install. */
export function findPlugins(configured: string | undefined): string {
  const dirs = configured === undefined ? PLUGIN_DIRS : [configured];
  const found = dirs.find((dir) => BRIDGE_PLUGINS.every((name) => isProgram(join(dir, name))));
  if (found !== undefined) return found;
  throw new HealthctlError(
    'NOT_FOUND',
    `bridge networks need the CNI plugins ${BRIDGE_PLUGINS.join(', ')}, which are not in ${dirs.join(', ')}`,
    { hint: "install them (Debian's package containernetworking-plugins), or give --network none or --network host" },
  );
}

/** A program that bridge networks need. Throws NOT_FOUND with what to install. */
export function needTool(name: string, packageName: string): string {
  const found = findTool(name);
  if (found !== undefined) return found;
  throw new HealthctlError('NOT_FOUND', `bridge networks need the program ${name}, which is not installed`, {
    hint: `install it (Debian's package ${packageName}), or give --network none or --network host`,
  });
}

/** One call of a plugin. */
export interface PluginCall {
  readonly command: 'ADD' | 'DEL';
  readonly pluginDir: string;
  /** With the keys `cniVersion` and `name` of its network, and `prevResult` if there is one. */
  readonly config: PluginConfig;
  readonly containerId: string;
  /** Path of the network namespace; empty if it is gone. */
  readonly netns: string;
  /** In the container. */
  readonly interfaceName: string;
}

/**
 * Calls a plugin.
 * @returns its result, parsed JSON, undefined for DEL. Throws RUNTIME with its message in the form of CNI's own library
 */
export async function callPlugin(ctx: ProgramContext, call: PluginCall): Promise<unknown> {
  const { command, pluginDir, config, containerId, netns, interfaceName } = call;
  const { code, stdout, stderr } = await runProgram(ctx, {
    file: join(pluginDir, config.type),
    args: [],
    stdin: JSON.stringify(config),
    env: {
      CNI_COMMAND: command,
      CNI_CONTAINERID: containerId,
      CNI_NETNS: netns,
      CNI_IFNAME: interfaceName,
      CNI_PATH: pluginDir,
    },
  });
  if (code === 0) return command === 'ADD' ? parsedOrUndefined(stdout) : undefined;
  const reason = pluginMessage(stdout) ?? (stderr.trim().split('\n').at(-1) || `exit status ${code}`);
  throw new HealthctlError(
    'RUNTIME',
    `plugin type=${JSON.stringify(config.type)} failed (${command.toLowerCase()}): ${reason}`,
  );
}

/** CNI's error object: `msg`, and `details` if there are any. */
function pluginMessage(stdout: string): string | undefined {
  const value = parsedOrUndefined(stdout);
  if (typeof value !== 'object' || value === null || !('msg' in value) || typeof value.msg !== 'string')
    return undefined;
  const details = 'details' in value && typeof value.details === 'string' ? value.details : '';
  return details === '' ? value.msg : `${value.msg}; ${details}`;
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
