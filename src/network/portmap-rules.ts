import { PROTOCOLS, type PublishedPort } from './port-spec.ts';
import { parseAddress } from './subnet.ts';

/**
 * portmap's rule for one port: `-A CNI-DN-… [-d ADDRESS/32] -p tcp -m tcp --dport 8080 -j DNAT --to-destination
 * 10.4.0.5:80`.
 */
const RULE = /^-A CNI-DN-\S+ (?:.* )?-p (\w+) (?:.* )?--dport (\d{1,5}) -j DNAT --to-destination [\d.]+:(\d{1,5})$/;

/**
 * The ports that portmap forwards on this host for all its callers: nerdctl's containers and those of another containerd
 * use the same plugin, and no process listens there either.
 *
 * @param rules output of `iptables -t nat -S`
 */
export function portsOfPortmap(rules: string): readonly PublishedPort[] {
  return rules.split('\n').flatMap((line): readonly PublishedPort[] => {
    const [, proto, hostPort, containerPort] = RULE.exec(line) ?? [];
    const protocol = PROTOCOLS.find((known) => known === proto);
    if (!protocol) return [];
    const [, address = ''] = / -d ([\d.]+)\/32 /.exec(line) ?? [];
    const hostIp = parseAddress(address) === undefined ? '0.0.0.0' : address;
    return [{ hostIp, hostPort: Number(hostPort), containerPort: Number(containerPort), protocol }];
  });
}
