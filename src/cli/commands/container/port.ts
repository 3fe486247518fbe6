import { resolveView } from '../../../container/resolve.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import { byPort, keyOf } from '../../../network/port-document.ts';
import { type PublishedPort, tryPortKey } from '../../../network/port-spec.ts';
import { publishedPortsOf } from '../../../record/shown-ports.ts';
import type { Command } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { ANYTHING, UP } from '../../flags/values.ts';

/** `healthctl port`: Docker's. */
export const port: Command = {
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  options: [],
  args: { min: 1, max: 2 },
  complete: [UP, ANYTHING],
  run: async (world, { args: [name = '', wanted] }) => {
    const ctx = await openContainers(world);
    const ports = publishedPortsOf(await resolveView(ctx, name, world), {
      dirs: ctx.dirs,
      namespace: ctx.containerd.namespace,
    });
    const endpoint = ({ hostIp, hostPort }: PublishedPort): string => `${hostIp}:${hostPort}`;
    if (wanted === undefined) {
      const lines = ports
        .toSorted((a, b) => byPort(keyOf(a), keyOf(b)))
        .map((one) => `${keyOf(one)} -> ${endpoint(one)}\n`);
      return { stdout: lines.join('') };
    }
    const key = tryPortKey(wanted);
    if (!key) throw new HealthctlError('INVALID', `invalid port: ${JSON.stringify(wanted)}`);
    const found = ports.filter((one) => keyOf(one) === keyOf(key));
    if (found.length === 0)
      throw new HealthctlError('NOT_FOUND', `no public port '${keyOf(key)}' published for ${name}`);
    return { stdout: found.map((one) => `${endpoint(one)}\n`).join('') };
  },
};
