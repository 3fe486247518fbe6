import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { HealthctlError, messageOf } from '../lib/errors.ts';
import { openInterfaceEnd } from '../system/host-port.ts';
import { joinCgroupOf } from '../system/join-cgroup.ts';
import { haveDied, sendKill } from '../system/kill-session.ts';
import { isSameProcess, type ProcessIdentity } from '../system/netns.ts';
import { startPlainly } from '../system/plain-start.ts';
import { readBootId, readStat } from '../system/proc.ts';
import { findTool } from '../system/programs.ts';
import type { Attachment } from './attachment.ts';
import { hostInterfaceFrom } from './cni-result.ts';
import { allocatePorts } from './free-port.ts';
import { gatewayOf } from './gateway.ts';
import type { LockedNetworks } from './network-context.ts';
import { openPortSockets, type PortSockets } from './port-sockets.ts';

// A published port is forwarded by firewall rules, which other programs do not see. To keep them from using the port,
// each container has a process with sockets bound to its ports. It only waits for one kernel message, that the host's
// end of the container's interface is gone: so it ends with the container, even if no process of ours notices. `dd` is
// such a process: it reads once, and ends.

const PROGRAM = 'dd';
const ARGUMENTS = ['count=1'];

/**
 * Starts the process that holds the ports of an attached container, with these sockets.
 *
 * @returns the attachment with that process; unchanged if it has no ports, has ended meanwhile, or the ports cannot be
 *   held: then with a warning
 * @throws CONFLICT with Docker's text if another program was faster
 */
export async function holdPorts(
  ctx: LockedNetworks,
  attachment: Attachment,
  sockets: Pick<PortSockets, 'listen'>,
): Promise<Attachment> {
  const descriptors = sockets.listen(attachment.ports);
  if (descriptors.length === 0) return attachment;
  let end: number | undefined;
  try {
    end = openEnd(attachment);
    if (end === undefined) return attachment;
    const portHolder = await startHolder(attachment, [end, ...descriptors]);
    await joinCgroupOf(portHolder.pid, shimOf(attachment));
    return { ...attachment, portHolder };
  } catch (error) {
    ctx.log.warn(
      `the ports of container ${attachment.id.slice(0, 12)} are published, but not held: ${messageOf(error)}`,
    );
    return attachment;
  } finally {
    if (end !== undefined) closeSync(end);
  }
}

/** Ends the process, if there is one: its ports are free then. */
export async function releasePorts(ctx: LockedNetworks, attachment: Attachment): Promise<void> {
  const { portHolder } = attachment;
  if (!portHolder || !isHolding(attachment)) return;
  const stat = readStat(portHolder.pid);
  sendKill(portHolder.pid);
  if (stat && !(await haveDied([stat], ctx.clock)))
    ctx.log.warn(`process ${portHolder.pid}, which holds the ports of container ${attachment.id}, does not end`);
}

/**
 * Whether a running container's ports are held as far as possible: by its process, or because there are none to hold.
 */
export function isHolding({ ports, portHolder, holder }: Attachment): boolean {
  if (ports.every(({ protocol }) => protocol === 'sctp')) return true;
  return portHolder !== undefined && holder.bootId === readBootId() && isSameProcess(portHolder);
}

/** Holds the ports of a running container that has lost the process, or was started by a version without one. */
export async function holdPortsAgain(ctx: LockedNetworks, attachment: Attachment): Promise<Attachment> {
  const sockets = openPortSockets();
  const kept: Attachment['ports'][number][] = [];
  try {
    for (const port of attachment.ports) {
      const request = { ...port, firstHostPort: port.hostPort, lastHostPort: port.hostPort };
      try {
        kept.push(...(await allocatePorts([request], [], sockets.tryPort)));
      } catch (error) {
        ctx.log.warn(`container ${attachment.id.slice(0, 12)}: a port cannot be held: ${messageOf(error)}`);
      }
    }
    const { portHolder } = await holdPorts(ctx, { ...attachment, ports: kept }, sockets);
    return portHolder ? { ...attachment, portHolder } : attachment;
  } finally {
    sockets.close();
  }
}

/** Reports the end of the container's interface, which the kernel removes after its last process. */
function openEnd({ memberships }: Attachment): number | undefined {
  const { plugins = [], result } = gatewayOf(memberships) ?? {};
  const bridge = plugins.find(({ type }) => type === 'bridge')?.bridge;
  const name = hostInterfaceFrom(result, typeof bridge === 'string' ? bridge : '');
  return name === undefined ? undefined : openInterfaceEnd(name);
}

async function startHolder({ namespace, id }: Attachment, inherited: readonly number[]): Promise<ProcessIdentity> {
  const file = findTool(PROGRAM);
  if (file === undefined) throw new HealthctlError('NOT_FOUND', `the program ${PROGRAM} is not installed`);
  const [end = 0, ...sockets] = inherited;
  const child = startPlainly(() =>
    spawn(file, ARGUMENTS, {
      cwd: '/',
      // Shows its owner to a user who finds it with `ss -p`.
      env: { HEALTHCTL_PORTS_OF: `${namespace}/${id}` },
      stdio: [end, 'ignore', 'ignore', ...sockets],
      detached: true,
    }),
  );
  const { pid } = child;
  if (pid === undefined) return new Promise((_, reject) => child.once('error', reject));
  child.unref();
  return { pid, startTimeTicks: readStat(pid)?.startTimeTicks ?? 0 };
}

/** The parent of the container's process, which lives as long as the container, whatever happens to us. */
const shimOf = ({ holder }: Attachment): number => readStat(holder.pid)?.parentPid ?? 1;
