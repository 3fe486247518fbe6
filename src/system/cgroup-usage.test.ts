import { expect, test } from 'vitest';
import { usageFilesIn } from './cgroup-usage.ts';

const ID = 'ab12'.repeat(16);

test('cgroup v1 has a hierarchy for each controller', () => {
  const text = `12:cpu,cpuacct:/default/${ID}\n5:memory:/default/${ID}\n1:name=systemd:/default/${ID}\n0::/\n`;
  expect(usageFilesIn(text, ID)).toEqual({
    isV1: true,
    cpu: `/sys/fs/cgroup/cpu,cpuacct/default/${ID}/cpuacct.usage`,
    memory: `/sys/fs/cgroup/memory/default/${ID}`,
  });
});

test('cgroup v2 has one, also below a unit of systemd; what the container made below is cut off', () => {
  const directory = `/sys/fs/cgroup/system.slice/nerdctl-${ID}.scope`;
  expect(usageFilesIn(`0::/system.slice/nerdctl-${ID}.scope/init/app\n`, ID)).toEqual({
    isV1: false,
    cpu: `${directory}/cpu.stat`,
    memory: directory,
  });
});

test('a process in a cgroup that is not its container counts for nothing', () => {
  expect(usageFilesIn('0::/user.slice\n4:memory:/\n', ID)).toBeUndefined();
  expect(usageFilesIn('', ID)).toBeUndefined();
});
