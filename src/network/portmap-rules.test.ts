import { expect, test } from 'vitest';
import { portsOfPortmap } from './portmap-rules.ts';

test('finds the ports that portmap forwards, with their host address', () => {
  const rules = [
    '-P PREROUTING ACCEPT',
    '-N CNI-DN-0a1b',
    '-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"bridge\\" id: \\"x\\"" -m multiport --dports 8080 -j CNI-DN-0a1b',
    '-A CNI-DN-0a1b -s 10.4.0.0/24 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK',
    '-A CNI-DN-0a1b -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.4.0.5:80',
    '-A CNI-DN-0a1b -d 127.0.0.1/32 -p udp -m udp --dport 5353 -j DNAT --to-destination 10.4.0.5:53',
    '-A DOCKER ! -i docker0 -p tcp -m tcp --dport 81 -j DNAT --to-destination 172.17.0.2:81',
    '',
  ].join('\n');
  expect(portsOfPortmap(rules)).toEqual([
    { hostIp: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
    { hostIp: '127.0.0.1', hostPort: 5353, containerPort: 53, protocol: 'udp' },
  ]);
});
