import { hostIdOf } from '../lib/dirs.ts';
import { reportOnce } from '../lib/report-once.ts';
import type { NetworkContext } from '../network/places.ts';
import type { World } from '../world.ts';

/** What the use cases of networks work with: files of ours alone, so that no containerd need run. */
export function openNetworks({ clock, log, settings }: Pick<World, 'clock' | 'log' | 'settings'>): NetworkContext {
  const { runRoot, dataRoot, address, network } = settings;
  const onFault = reportOnce((text) => log.warn(text));
  return { clock, log, settings: network, dirs: { runRoot, dataRoot, hostId: hostIdOf(address), onFault } };
}
