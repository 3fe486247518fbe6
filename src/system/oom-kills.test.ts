import { expect, test } from 'vitest';
import { memoryCgroupIn, oomKillsIn } from './oom-kills.ts';

const ID = '3f4e';

test.each([
  ['v1', '9:name=systemd:/\n4:memory:/default/3f4e\n1:cpu,cpuacct:/default/3f4e\n0::/\n', true, '/default/3f4e'],
  ['v1, with another controller', '4:hugetlb,memory:/default/3f4e\n', true, '/default/3f4e'],
  ['v2', '0::/default/3f4e\n', false, '/default/3f4e'],
  ['v1, below a cgroup namespace', '0::/../x/default/3f4e/init.scope\n', false, '/../x/default/3f4e'],
  [
    'of systemd, in a child',
    '0::/system.slice/cri-containerd-3f4e.scope/a:b/c\n',
    false,
    '/system.slice/cri-containerd-3f4e.scope',
  ],
])('finds the memory cgroup of a container: %s', (_, text, isV1, path) => {
  expect(memoryCgroupIn(text, ID)).toEqual({ isV1, path });
});

test.each([
  ['the root cgroup', '0::/\n'],
  ['a cgroup that it shares with others', '4:memory:/system.slice/containerd.service\n'],
  ['v1 without memory', '3:cpu:/default/3f4e\n'],
  ['no text', ''],
])("finds no cgroup that is only the container's: %s", (_, text) => {
  expect(memoryCgroupIn(text, ID)).toBeUndefined();
});

test('reads the number of killed processes', () => {
  expect(oomKillsIn('oom_kill_disable 0\nunder_oom 0\noom_kill 4\n')).toBe(4);
  expect(oomKillsIn('low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n')).toBe(2);
  expect(oomKillsIn('oom_kill_disable 0\nunder_oom 0\n')).toBeUndefined(); // before Linux 4.13
});
