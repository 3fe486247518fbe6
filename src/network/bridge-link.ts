import { HealthctlError } from '../lib/errors.ts';
import { isText } from '../lib/shape.ts';
import { hasNetworkDevice } from '../system/proc.ts';
import { findTool } from '../system/programs.ts';
import { runProgram } from '../system/run-program.ts';
import type { Membership } from './attachment.ts';
import { hostInterfaceFrom } from './cni-result.ts';
import type { LockedNetworks } from './network-context.ts';
import { DEFAULT_NETWORK } from './network-names.ts';
import type { NetworkRecord } from './network-record.ts';
import { needTool } from './plugins.ts';

/** Whether this host has the interface. */
export const hasLink = (name: string): boolean => hasNetworkDevice(name);

export async function deleteLink(ctx: LockedNetworks, name: string): Promise<void> {
  const { code, stderr } = await runProgram(ctx, {
    file: needTool('ip', 'iproute2'),
    args: ['link', 'delete', name],
  });
  if (code !== 0) throw new HealthctlError('RUNTIME', `the interface ${name} could not be deleted: ${stderr.trim()}`);
}

/**
 * Deletes the host's end of the interface of a container that has ended, and so both. The kernel does that with the last
 * process of its network, unless somebody has a socket there: such as a monitor that does not get to closing its own.
 */
export async function deleteLeftLink(ctx: LockedNetworks, { result, plugins }: Membership): Promise<void> {
  const bridge = plugins.find(({ type }) => type === 'bridge')?.bridge;
  const name = hostInterfaceFrom(result, isText(bridge) ? bridge : '');
  if (name === undefined || !hasLink(name)) return;
  try {
    await deleteLink(ctx, name);
  } catch (error) {
    if (hasLink(name)) throw error; // otherwise the kernel was faster
  }
}

/**
 * Gives a new bridge a second name, as Docker and nerdctl name it: `br-` and 12 characters of the network's id. Scripts
 * expect that name (`tcpdump -i`, `ip link show`). The first name identifies our bridges to the firewall. Without `ip`,
 * or with a kernel before 5.5, there is no second name.
 */
export async function addSecondName(ctx: LockedNetworks, { id, name, bridge }: NetworkRecord): Promise<void> {
  const ip = findTool('ip');
  if (name === DEFAULT_NETWORK || ip === undefined) return;
  const args = ['link', 'property', 'add', 'dev', bridge, 'altname', `br-${id.slice(0, 12)}`];
  const { code, stderr } = await runProgram(ctx, { file: ip, args });
  if (code !== 0) ctx.log.debug(`the bridge ${bridge} has no second name: ${stderr.trim()}`);
}
