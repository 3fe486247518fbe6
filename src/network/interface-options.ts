/** Docker's driver options of a container's interface that have an effect. */
const IFNAME = 'com.docker.network.endpoint.ifname';
const SYSCTLS = 'com.docker.network.endpoint.sysctls';

export interface InterfaceOptions {
  /** The name in the container; absent: `eth0`, `eth1` … */
  readonly interfaceName?: string;
  /** Kernel settings of the interface: `net.ipv4.conf.IFNAME.log_martians=1`. */
  readonly sysctls: readonly string[];
}

export function interfaceOptionsOf(driverOpts: Readonly<Record<string, string>>): InterfaceOptions {
  const { [IFNAME]: interfaceName, [SYSCTLS]: sysctls = '' } = driverOpts;
  return {
    ...(interfaceName === undefined ? {} : { interfaceName }),
    sysctls: sysctls === '' ? [] : sysctls.split(','),
  };
}

/** The kernel's limit; no character that a path or a shell would read otherwise. */
const NAME = /^[\w.-]{1,15}$/;
const SYSCTL = /^net\.(?:ipv4|ipv6|mpls)\.\w+\.(?:IFNAME|ifname)\.\w+=[^\n]*$/;

/** Why these options cannot be used, in Docker's words where it has some. */
export function interfaceProblems({ interfaceName, sysctls }: InterfaceOptions): readonly string[] {
  const isWrong = interfaceName !== undefined && (!NAME.test(interfaceName) || /^(?:\.{1,2}|lo)$/.test(interfaceName));
  return [
    ...(isWrong ? [`invalid interface name: ${interfaceName}`] : []),
    ...sysctls
      .filter((sysctl) => !SYSCTL.test(sysctl))
      .map(
        (sysctl) =>
          `unrecognised network interface sysctl '${sysctl}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`,
      ),
  ];
}

/** The file below `/proc/sys` and the value, for an interface. */
export function sysctlFileOf(sysctl: string, interfaceName: string): { readonly path: string; readonly value: string } {
  const at = sysctl.indexOf('=');
  const parts = sysctl.slice(0, at).split('.');
  const named = parts.map((part) => (part.toLowerCase() === 'ifname' ? interfaceName : part));
  return { path: `/proc/sys/${named.join('/')}`, value: sysctl.slice(at + 1) };
}

/** The names of a container's new interfaces, in their order: those asked for, else the first that is free. */
export function interfaceNamesFor(
  asked: readonly Pick<InterfaceOptions, 'interfaceName'>[],
  present: readonly string[] = [],
): readonly string[] {
  const taken = new Set([...present, ...asked.flatMap(({ interfaceName }) => interfaceName ?? [])]);
  return asked.map(({ interfaceName }) => {
    if (interfaceName !== undefined) return interfaceName;
    let index = 0;
    while (taken.has(`eth${index}`)) index += 1;
    taken.add(`eth${index}`);
    return `eth${index}`;
  });
}
