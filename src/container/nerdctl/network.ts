import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { isObject, parseJsonText } from '../../lib/shape.ts';
import { callPlugin, findPlugins, type PluginConfig } from '../../network/plugins.ts';
import { MAX_FILE_BYTES, networksIn, readJson, type Subject, storeOf } from '../../record/nerdctl-network.ts';
import { sendKill } from '../../system/kill-session.ts';
import { inspectOwnFile } from '../../system/own-file.ts';
import { readCommandLine } from '../../system/proc.ts';
import type { ContainerContext } from '../context.ts';

// What nerdctl's hooks leave of a container's network: `containers/<namespace>/<id>/network-config.json` with the ports
// (since 2.1.3; before, the label nerdctl/ports), `etchosts/<namespace>/<id>/meta.json` with the plugins' results, and
// a process that holds the ports, `sleep infinity`, whose pid is in /run/nerdctl (since 2.2). The plugins' arguments
// are in the cache of CNI's library.

/** Hard-coded in nerdctl (pkg/ocihook) and in libcni. */
const RESERVERS = '/run/nerdctl';
const CNI_RESULTS = '/var/lib/cni/results';

/**
 * Frees the ports and addresses of a container of nerdctl's that has ended, like `nerdctl stop`: its hooks do so only
 * when the task is deleted. The hooks, or the next start, may do it again. Failures are warnings: nerdctl's `rm` and
 * `start` repeat it.
 */
export async function releaseNerdctlNetwork(
  ctx: Pick<ContainerContext, 'clock' | 'dirs' | 'log' | 'network'> & {
    readonly containerd: Pick<ContainerContext['containerd'], 'namespace' | 'address'>;
  },
  id: string,
): Promise<void> {
  const { dirs, log, clock, network: settings } = ctx;
  const subject = { namespace: ctx.containerd.namespace, id };
  if (!existsSync(join(storeOf(dirs), 'containers', subject.namespace, id, 'network-config.json'))) return;
  try {
    for (const [index, network] of Object.keys(networksIn(dirs, subject)).entries()) {
      const path = join(CNI_RESULTS, `${network}-${subject.namespace}-${id}-eth${index}`);
      const cached = readJson(path);
      if (network.includes('/') || !isCache(cached, `${subject.namespace}-${id}`)) continue;
      const call = {
        command: 'DEL',
        pluginDir: findPlugins(settings.cniBinDir),
        containerId: cached.containerId,
        netns: '',
        interfaceName: cached.ifName,
      } as const;
      for (const config of pluginsOf(cached).toReversed()) await callPlugin({ clock }, { ...call, config });
      rmSync(path, { force: true });
    }
    endReserver(subject);
  } catch (error) {
    log.warn(`the network of container ${id.slice(0, 12)}, nerdctl's, could not be taken down: ${messageOf(error)}`);
  }
}

interface CniCache {
  readonly containerId: string;
  readonly ifName: string;
  /** The list of plugins, in base64. */
  readonly config: string;
  readonly capabilityArgs?: unknown;
  readonly result?: unknown;
}

function isCache(value: unknown, containerId: string): value is CniCache {
  if (!isObject(value) || value.containerId !== containerId) return false;
  return typeof value.ifName === 'string' && typeof value.config === 'string';
}

/** The plugin calls of CNI's library: each plugin gets the arguments that it has the capability for. */
function pluginsOf({ config, capabilityArgs, result }: CniCache): readonly PluginConfig[] {
  const list = parseJsonText(Buffer.from(config, 'base64').toString('utf8'));
  if (!isObject(list) || !Array.isArray(list.plugins)) return [];
  const { cniVersion, name } = list;
  return list.plugins.flatMap((plugin: unknown): readonly PluginConfig[] => {
    if (!isObject(plugin) || typeof plugin.type !== 'string' || plugin.type.includes('/')) return [];
    const { capabilities, type, ...own } = plugin;
    const able = isObject(capabilities) ? Object.keys(capabilities).filter((key) => capabilities[key] === true) : [];
    const given = Object.entries(isObject(capabilityArgs) ? capabilityArgs : {}).filter(([key]) => able.includes(key));
    return [{ ...own, type, cniVersion, name, runtimeConfig: Object.fromEntries(given), prevResult: result }];
  });
}

/** The pid may belong to another process by now: only nerdctl's program is ended. */
function endReserver({ namespace, id }: Omit<Subject, 'labels'>): void {
  const dir = join(RESERVERS, namespace, id);
  const found = inspectOwnFile(join(dir, 'port-reserver.pid'), { maxBytes: MAX_FILE_BYTES });
  if (found.kind !== 'read') return;
  const pid = Number(found.bytes.toString('utf8').trim());
  if (Number.isInteger(pid) && pid > 1 && readCommandLine(pid) === 'sleep\0infinity\0') sendKill(pid);
  rmSync(dir, { recursive: true, force: true });
}
