import { HealthctlError } from '../../lib/errors.ts';
import { networkModeOf } from '../../record/network-mode.ts';
import { type ApiVersion, isSince } from '../version.ts';

/** Docker's option for kernel settings of an interface. */
export const SYSCTLS_OPTION = 'com.docker.network.endpoint.sysctls';

/** Kernel settings of a create request. */
interface Sysctls {
  /** Set when the container's namespaces are made. */
  readonly ofContainer: Readonly<Record<string, string>>;
  /** Set on the interface of the main network: `net.ipv4.conf.IFNAME.forwarding=1`. */
  readonly ofInterface: readonly string[];
}

/**
 * Separates settings of `eth0`, which does not exist when the others are set (moby:
 * api/server/router/container/container_routes.go, handleSysctlBC). Throws INVALID with Docker's texts for another
 * interface, and since API 1.48, whose clients give them as an option of the network.
 */
export function sysctlsOf(
  given: Readonly<Record<string, string>>,
  { network, version }: { readonly network: string; readonly version: ApiVersion },
): Sysctls {
  const isPrivate = ['network', 'none'].includes(networkModeOf(network).kind);
  const entries = Object.entries(given).map(([name, value]) => {
    const [, before, ethernet, after] = isPrivate ? (/^(net\.[^.]+\.[^.]+)\.(eth[^.]*)\.(.+)$/.exec(name) ?? []) : [];
    if (ethernet === undefined) return { name, value, moved: undefined };
    if (isSince(version, 48))
      throw new HealthctlError(
        'INVALID',
        `interface specific sysctl setting "${name}" must be supplied using driver option '${SYSCTLS_OPTION}'`,
      );
    if (ethernet !== 'eth0')
      throw new HealthctlError(
        'INVALID',
        `unable to determine network endpoint for sysctl ${name}, use driver option '${SYSCTLS_OPTION}' to set per-interface sysctls`,
      );
    return { name, value, moved: `${before}.IFNAME.${after}=${value}` };
  });
  return {
    ofContainer: Object.fromEntries(
      entries.filter(({ moved }) => moved === undefined).map(({ name, value }) => [name, value]),
    ),
    ofInterface: entries.flatMap(({ moved }) => moved ?? []),
  };
}
