import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { killSession, sessionLeaderOf } from '../../src/system/kill-session.ts';
import { isAlive, listSession, readStat } from '../../src/system/proc.ts';
import { until } from '../../testbed/until.ts';

/** Starts a shell that leads a session of its own, and prints pids. */
function startLeader(script: string) {
  const child = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (bytes: Buffer) => {
    printed += bytes;
  });
  const pids = (count: number) =>
    until(() => {
      const words = printed.trim().split(/\s+/).filter(Boolean).map(Number);
      return words.length >= count && words;
    });
  return { pid: child.pid ?? 0, pids, exited: once(child, 'exit') };
}
const lives = (pid: number) => isAlive(readStat(pid));

test('a leader dies with its children, also if it has ended before', async () => {
  const leader = startLeader('sleep 3501 & echo $!');
  const known = sessionLeaderOf(leader.pid);
  const [child = 0] = await leader.pids(1);
  await leader.exited;
  expect([known.session, lives(child)]).toEqual([leader.pid, true]);
  expect(await killSession(known, { clock: systemClock })).toBe(true);
  await until(() => !lives(child));
});

test('a process whose leader has ended dies with its session, like one that crun started', async () => {
  const leader = startLeader('(sleep 0.1; sleep 3502 & echo $!; exec sleep 3503) & echo $!');
  const [first = 0, second = 0] = await leader.pids(2);
  await leader.exited;
  const known = sessionLeaderOf(first);
  expect(known.session).toBe(leader.pid);
  expect(await killSession(known, { clock: systemClock })).toBe(true);
  await until(() => !lives(first) && !lives(second));
});

test('a session of another leader is not touched', async () => {
  const leader = startLeader('sleep 3504 & echo $!; wait');
  const [child = 0] = await leader.pids(1);
  const known = sessionLeaderOf(child);
  expect(known.session).toBe(child);
  expect(await killSession(known, { clock: systemClock })).toBe(true);
  expect([lives(leader.pid), lives(child)]).toEqual([true, true]);
  await killSession(sessionLeaderOf(leader.pid));
  await until(() => !lives(leader.pid) && !lives(child));
});

test('other work continues while a thousand processes are killed', async () => {
  const leader = startLeader('i=0; while [ $i -lt 1000 ]; do sleep 3505 & i=$((i+1)); done; echo $i; wait');
  await leader.pids(1);
  const known = sessionLeaderOf(leader.pid);
  let turns = 0;
  const count = () => {
    turns += 1;
    turning = setImmediate(count);
  };
  let turning = setImmediate(count);
  await killSession(known);
  clearImmediate(turning);
  expect(turns).toBeGreaterThan(9);
  await until(() => listSession(leader.pid).length === 0);
});

test('a process that continues in a new child every 50 ms is killed too', async () => {
  const leader = startLeader('f() { sleep 0.05; f & }; f; f; f; echo 1; sleep 3506');
  await leader.pids(1);
  await killSession(sessionLeaderOf(leader.pid), { clock: systemClock });
  await until(() => listSession(leader.pid).length === 0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(listSession(leader.pid)).toEqual([]);
});
