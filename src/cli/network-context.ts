import { hostIdOf } from '../lib/dirs.ts';
import { reportOnce } from '../lib/report-once.ts';
import type { NetworkContext } from '../network/network-context.ts';
import type { World } from '../world.ts';

/** Opens the context of network use cases: only our own files, so containerd need not run. */
export function openNetworks({ clock, log, settings }: Pick<World, 'clock' | 'log' | 'settings'>): NetworkContext {
  const { runRoot, dataRoot, address, network } = settings;
  const onFault = reportOnce((text) => log.warn(text));
  return { clock, log, settings: network, dirs: { runRoot, dataRoot, hostId: hostIdOf(address), onFault } };
}
