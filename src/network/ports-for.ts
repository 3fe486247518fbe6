import type { Attachment } from './attachment.ts';
import { readForwardedPorts } from './firewall.ts';
import { allocatePorts, type TryPort } from './free-port.ts';
import type { LockedNetworks } from './network-context.ts';
import type { PortRequest, PublishedPort } from './port-spec.ts';

/** Finds ports of the host that no container has. Throws CONFLICT with Docker's texts. */
export async function portsFor(
  ctx: LockedNetworks,
  request: {
    readonly requests: readonly PortRequest[];
    /** Attachments of other containers. */
    readonly others: readonly Attachment[];
    readonly tryPort: TryPort;
  },
): Promise<readonly PublishedPort[]> {
  const { requests, others, tryPort } = request;
  if (requests.length === 0) return [];
  const held = [...others.flatMap(({ ports }) => ports), ...(await readForwardedPorts(ctx))];
  return allocatePorts(requests, held, tryPort);
}
