import type { ContainerContext } from '../../../container/context.ts';
import { resolveView } from '../../../container/resolve.ts';
import type { ContainerView } from '../../../container/view.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import { LABELS } from '../../../lib/labels.ts';
import { isHeld, readAttachment } from '../../../network/attachment.ts';
import { byPort, keyOf, portsOfLabel } from '../../../network/port-document.ts';
import { type PublishedPort, tryPortKey } from '../../../network/port-spec.ts';
import type { Command } from '../../command.ts';
import { openContainers } from '../../context.ts';

/** `healthctl port`: Docker's. */
export const port: Command = {
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  options: [],
  args: { min: 1, max: 2 },
  run: async (world, { args: [name = '', wanted] }) => {
    const ctx = await openContainers(world);
    const ports = publishedPorts(ctx, await resolveView(ctx, name, world));
    const place = ({ hostIp, hostPort }: PublishedPort): string => `${hostIp}:${hostPort}`;
    if (wanted === undefined) {
      const lines = ports
        .toSorted((a, b) => byPort(keyOf(a), keyOf(b)))
        .map((one) => `${keyOf(one)} -> ${place(one)}\n`);
      return { stdout: lines.join('') };
    }
    const key = tryPortKey(wanted);
    if (!key) throw new HealthctlError('INVALID', `invalid port: ${JSON.stringify(wanted)}`);
    const found = ports.filter((one) => keyOf(one) === keyOf(key));
    if (found.length === 0)
      throw new HealthctlError('NOT_FOUND', `no public port '${keyOf(key)}' published for ${name}`);
    return { stdout: found.map((one) => `${place(one)}\n`).join('') };
  },
};

/** Of another tool's container nerdctl's label tells. */
function publishedPorts(ctx: ContainerContext, { record, state }: ContainerView): readonly PublishedPort[] {
  if (state !== 'running' && state !== 'paused') return [];
  const attachment = readAttachment(ctx, { namespace: ctx.containerd.namespace, id: record.id });
  return attachment && isHeld(attachment) ? attachment.ports : portsOfLabel(record.labels[LABELS.nerdctlPorts]);
}
