import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { childrenOf, readStat } from '../../src/system/proc.ts';
import { makeSubreaper } from '../../src/system/subreaper.ts';
import { endProcesses, hasEnvironment, listProcesses } from '../../testbed/processes.ts';
import { until } from '../../testbed/until.ts';

/** In the environment of every process that a test starts, also of those that have left its process tree. */
const MARK = `HEALTHCTL_SUBREAPER_TEST=${process.pid}`;
afterEach(async () => {
  const left = listProcesses().filter(({ pid }) => hasEnvironment(pid, MARK));
  await endProcesses(left, { graceMs: 0 });
});

describe.runIf(process.arch === 'x64').each(['dash', 'bash', 'busybox'])('%s that waits for a line', (shell) => {
  const start = async () => {
    const script = 'echo; while read -r line; do eval "$line"; echo "$line"; done; echo the end';
    const args = [`/usr/bin/${shell}`, ...(shell === 'busybox' ? ['sh'] : []), '-c', script];
    // Not a direct child: Node.js takes a child that a tracer has stopped for one that has ended.
    const [name = '', value] = MARK.split('=');
    const child = spawn('/bin/sh', ['-c', '"$@"; exit 0', 'sh', ...args], {
      env: { ...process.env, [name]: value },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const ask = async (line: string) => {
      child.stdin.write(`${line}\n`);
      return String((await once(child.stdout, 'data'))[0]);
    };
    const [pid = 0] = childrenOf(child.pid ?? 0);
    await until(() => readStat(pid)?.state === 'S');
    return { pid, ask, child };
  };

  test('continues, and is the parent of its orphaned descendants until it reaps them', async () => {
    const { pid, ask } = await start();
    expect(await makeSubreaper(pid, systemClock)).toBe(true);
    expect(await ask('( (sleep 3601 & setsid sleep 3602 &) )')).toContain('sleep 3601');
    await until(() => childrenOf(pid).length === 2);
    for (const child of childrenOf(pid)) process.kill(child, 'SIGKILL');
    await until(() => childrenOf(pid).every((child) => readStat(child)?.state === 'Z'));
    await ask('( : )');
    expect(childrenOf(pid)).toEqual([]);
  });

  test('reads the same after a hundred calls', async () => {
    const { pid, ask, child } = await start();
    for (let time = 0; time < 100; time += 1) {
      expect(await makeSubreaper(pid, systemClock)).toBe(true);
      if (time % 10 === 0) expect(await ask(`: ${time}`)).toBe(`: ${time}\n`);
      await until(() => readStat(pid)?.state === 'S');
    }
    child.stdin.end();
    expect(String((await once(child.stdout, 'data'))[0])).toBe('the end\n');
  });
});

test('returns false for a process that is gone', async () => {
  expect(await makeSubreaper(2 ** 22 - 1, systemClock)).toBe(false);
});
