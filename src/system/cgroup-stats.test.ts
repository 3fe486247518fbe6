import { expect, test } from 'vitest';
import { cgroupDirsIn, interfacesIn, readCgroupStats, readSystemCpu } from './cgroup-stats.ts';

test('the directories of both versions, without sub-cgroups of the container', () => {
  const text = '4:cpu,cpuacct:/default/c1/sub\n3:memory:/default/c1\n2:pids:/other\n0::/default/c1\n';
  expect([...cgroupDirsIn(text, 'c1')]).toEqual([
    ['cpu', '/sys/fs/cgroup/cpu,cpuacct/default/c1'],
    ['cpuacct', '/sys/fs/cgroup/cpu,cpuacct/default/c1'],
    ['memory', '/sys/fs/cgroup/memory/default/c1'],
    ['unified', '/sys/fs/cgroup/default/c1'],
  ]);
});

test('a process without a cgroup of that name has no counters', () => {
  expect(readCgroupStats(process.pid, 'no-such-container')).toBeUndefined();
});

test('the processors of this host', () => {
  const { totalNs, online } = readSystemCpu();
  expect(totalNs).toBeGreaterThan(1e9);
  expect(online).toBeGreaterThan(0);
});

test('interfaces but lo', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0: 1296 14 1 2 0 0 0 0 990 13 3 4 0 0 0 0
`;
  expect([...interfacesIn(text)]).toEqual([
    [
      'eth0',
      {
        ...{ rxBytes: 1296, rxPackets: 14, rxErrors: 1, rxDropped: 2 },
        ...{ txBytes: 990, txPackets: 13, txErrors: 3, txDropped: 4 },
      },
    ],
  ]);
});
