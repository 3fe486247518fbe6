import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { createHookRunner } from '../../src/daemon/hooks/run-hook.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { killMarked } from '../../src/system/kill-marked.ts';
import { isAlive, listProcesses, readStat } from '../../src/system/proc.ts';
import { until } from '../../testbed/until.ts';

const lives = (pid: number) => isAlive(readStat(pid));
/** The processes with this word on their command line. */
const running = (word: string): readonly number[] =>
  listProcesses().flatMap((stat) => {
    try {
      const isIt = readFileSync(`/proc/${stat.pid}/cmdline`, 'latin1').split('\0').includes(word);
      return isIt && isAlive(stat) ? [stat.pid] : [];
    } catch {
      return [];
    }
  });

/** An hour, in a form that is unique to this run: a killed run may have left its own. */
const secondsOf = (test: number): string => `3600.${process.pid}${test}`;

afterEach(() => {
  for (const pid of [1, 2, 3].map(secondsOf).flatMap(running)) process.kill(pid, 'SIGKILL');
});

const script = (seconds: string) =>
  [
    `setsid sleep ${seconds} &`, // another session
    `(setsid sh -c "sleep ${seconds} & exit" &)`, // another parent, like a daemon
    `env -i sleep ${seconds} &`, // no variable, the same session
    `sleep ${seconds}`,
  ].join('\n');

test('everything that a hook started dies with it, in any session and with any parent', async () => {
  const child = spawn('sh', ['-c', script(secondsOf(1))], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, M: 'of-this' },
  });
  const stranger = spawn('sleep', [secondsOf(2)], { env: { ...process.env, M: 'of-another' } });
  const ended = once(child, 'exit');
  await until(() => running(secondsOf(1)).length === 4);
  expect(await killMarked(child.pid ?? 0, 'M=of-this', { clock: systemClock })).toBe(true);
  await ended;
  expect([running(secondsOf(1)), lives(stranger.pid ?? 0)]).toEqual([[], true]);
});

const hook = { on: ['healthy'], retries: 0, timeoutMs: 500 } as const;
const event = { event: 'healthy', time: '', namespace: 'default', id: 'c1', image: '' } as const;
const run = createHookRunner(systemClock);

test('children of a hook that leave its session do not outlive its timeout', async () => {
  const late = run(
    { ...hook, command: ['/bin/sh', '-c', script(secondsOf(3))] },
    { ...event, name: 'web' },
    new AbortController().signal,
  );
  await expect(late).rejects.toThrow('it took longer than 0.5 s');
  await until(() => running(secondsOf(3)).length === 0);
});

test('a hook runs for a container whose name has a character that no variable can have', async () => {
  const command = ['/bin/sh', '-c', '[ "$HEALTHCTL_CONTAINER_NAME" = "a\ufffdb" ]'];
  await run({ ...hook, timeoutMs: 10_000, command }, { ...event, name: 'a\0b' }, new AbortController().signal);
});
