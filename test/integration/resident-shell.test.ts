import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Tasks } from '../../src/containerd/tasks.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { openResidentShell, type ResidentShell, type Turn } from '../../src/probe/resident-shell.ts';
import { listSession } from '../../src/system/proc.ts';
import { runProgram } from '../fixtures/program.ts';

// The protocol with real shells: each takes the place of /bin/sh in a mount namespace of its own, as it would be in an image.

const SHELLS = ['dash', 'bash', 'busybox'].map((name) => [name, `/usr/bin/${name}`] as const);
const here = realpathSync('/bin/sh');
const asShell = (path: string, args: readonly string[], streams = ''): readonly string[] => [
  ...['unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c'],
  ...[`mount --bind "$0" "$1" && shift && exec "$@" ${streams}`, path, here, ...args],
];

/** A process on this machine in the place of an exec: a session of its own, its streams the FIFOs. */
function tasksOf(shell: string, pids: number[]): Tasks {
  let [args, stdio]: [readonly string[], readonly string[]] = [[], []];
  let exited: Promise<void> = Promise.resolve();
  const tasks: Partial<Tasks> = {
    exec: async ({ processJson, stdin, stdout, stderr }) => {
      args = (JSON.parse(processJson) as { args: string[] }).args;
      stdio = [stdin, stdout, stderr];
    },
    start: async () => {
      const fds = stdio.map((path) => openSync(path, 'r+'));
      const [program = '', ...rest] = asShell(shell, args);
      const child = spawn(program, rest, {
        detached: true,
        stdio: fds as [number, number, number],
        env: ENV,
        cwd: '/',
      });
      for (const fd of fds) closeSync(fd);
      exited = new Promise((resolve) => child.once('exit', () => resolve()));
      pids.push(child.pid ?? 0);
      return child.pid ?? 0;
    },
    wait: async () => {
      await new Promise((resolve) => setTimeout(resolve, 50)); // asked for before the start
      await exited;
      return { status: 0, atMs: 0 };
    },
    deleteExec: async () => ({ status: 0, atMs: 0 }),
  };
  return tasks as Tasks;
}

const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOSTNAME: 'web', ODD: "a b'c\n$d" };
const MINUTE_NS = 60e9;

let scratchDir: string;
beforeAll(() => {
  scratchDir = mkdtempSync(join(tmpdir(), 'healthctl-resident-'));
});
afterAll(() => rmSync(scratchDir, { recursive: true, force: true }));

describe.each(SHELLS)('%s as /bin/sh', (_, path) => {
  const opened: ResidentShell[] = [];
  const pids: number[] = [];
  const open = async (...items: string[]) => {
    const shell = await openResidentShell(
      { tasks: tasksOf(path, pids), clock: systemClock, log: silentLogger, startLimitMs: 5_000 },
      { containerId: 'c1', processJson: '{"cwd":"/"}', scratchDir },
      items,
    );
    opened.push(shell);
    return shell;
  };
  const check = (shell: ResidentShell, timeoutNs = MINUTE_NS) => shell.check({ timeoutNs, signal: undefined });
  const resultOf = (turn: Turn) =>
    turn.kind === 'over' && turn.outcome.kind === 'exited' ? [turn.outcome.code, turn.outcome.output] : turn;

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((shell) => shell.close()));
    expect(pids.splice(0).flatMap((pid) => listSession(pid))).toEqual([]);
    expect(readdirSync(scratchDir)).toEqual([]);
  });

  const COMMANDS = [
    ['true'],
    ['exit 7'],
    ['echo out; echo err >&2; echo out; exit 3'],
    ["printf 'no end of line'"],
    ["printf 'a\\000b\\377\\n\\n\\n'"],
    ['kill -9 $$'],
    ['kill -TERM $$'],
    ['missing-program'],
    ['if'],
    ['cat; echo "$?"'],
    ['echo "$0 $# $*"', 'zero', 'first one', ''],
    ['env | sort'],
    ['pwd; umask; ulimit -n'],
    ['grep -E "^Sig(Blk|Ign|Cgt)" /proc/self/status'],
    ['ls /proc/self/fd'],
    ['echo "done 1 0"; echo "end"; exit 5'],
    ['echo "done 1 0" >&3; exit 5'],
    ['head -c 300000 /dev/zero | tr "\\000" x'],
    ['sleep 0.05 | true; echo "$?"'],
  ];
  test.each(COMMANDS.map((items) => [items]))('%j is what a fresh shell makes of it', async (items) => {
    const shell = await open(...items);
    const fresh = await runProgram(asShell(path, ['/bin/sh', '-c', ...items], '</dev/null 2>&1'), {
      env: ENV,
      cwd: '/',
    });
    const turns = [await check(shell), await check(shell)].map(resultOf);
    const [code, output] = turns[0] as [number, string];
    expect(output).toBe(fresh.stdout.length > 4096 ? `${fresh.stdout.slice(0, 4096)}...` : fresh.stdout);
    expect(code).toBe(fresh.code);
    expect(turns[1]).toEqual(turns[0]);
    expect(shell.isUsable).toBe(true);
  });

  test('no state is carried from one check to the next', async () => {
    const shell = await open('pwd; umask; echo "[$LEFT]"; cd /tmp; umask 077; LEFT=1; export LEFT; trap "" TERM');
    const [first, second] = [resultOf(await check(shell)), resultOf(await check(shell))];
    expect(first).toEqual([0, expect.stringMatching(/^\/\n0?0\d\d\n\[\]\n$/)]);
    expect(second).toEqual(first);
  });

  test('a timeout ends the check and its children, and not the shell', async () => {
    const shell = await open('echo begun; sleep 60 & sleep 60 | sleep 60');
    for (const _ of [1, 2]) {
      const turn = await check(shell, 0.3e9);
      expect(turn).toEqual({ kind: 'over', outcome: { kind: 'timed-out', timeoutNs: 0.3e9, output: 'begun\n' } });
      expect(listSession(pids[0] ?? 0)).toHaveLength(1);
    }
    expect(shell.isUsable).toBe(true);
  });

  test('output without end costs no memory, and does not keep the next check', async () => {
    const flag = join(tmpdir(), `healthctl-noisy-${process.pid}-${basename(path)}`);
    const shell = await open('if [ -e "$0" ]; then echo fine; else : >"$0"; yes; fi', flag);
    try {
      const output = expect.stringMatching(/^(y\n){2048}\.\.\.$/);
      expect(await check(shell, 0.5e9)).toMatchObject({ outcome: { kind: 'timed-out', output } });
      expect(resultOf(await check(shell))).toEqual([0, 'fine\n']);
    } finally {
      rmSync(flag, { force: true });
    }
  });

  test.each([
    ['sleep 60 &', 'the check left processes behind'],
    ['(sleep 60 >/dev/null 2>&1 &); exit 1', 'the check left processes behind'],
    ['kill -9 $PPID; sleep 60', 'the shell has ended'],
    ['echo lie >/proc/$PPID/fd/3', 'something else answered'],
    [`head -c 100 /dev/zero >/proc/$PPID/fd/3; sleep 60`, 'something else answered'],
  ])('%s: not to be believed', async (command, reason) => {
    const shell = await open(command);
    expect(await check(shell)).toEqual({ kind: 'broken', reason });
    expect(shell.isUsable).toBe(false);
  });

  test('a check that is given up ends with the shell', async () => {
    const shell = await open('sleep 60');
    const given = new AbortController();
    setTimeout(() => given.abort(), 100);
    const turn = await shell.check({ timeoutNs: MINUTE_NS, signal: given.signal });
    expect(turn).toEqual({ kind: 'over', outcome: { kind: 'cancelled' } });
    expect(shell.isUsable).toBe(false);
  });

  test('a shell that was closed is not written to: its descriptor may be another file by then', async () => {
    const shell = await open('true');
    await shell.close();
    const file = openSync(join(scratchDir, 'another'), 'w+');
    try {
      expect(await check(shell)).toEqual({ kind: 'broken', reason: 'the shell does not read' });
      expect(readFileSync(join(scratchDir, 'another'), 'utf8')).toBe('');
    } finally {
      closeSync(file);
      rmSync(join(scratchDir, 'another'));
    }
  });

  test('what is printed between two checks spoils the shell', async () => {
    const shell = await open('true');
    await check(shell);
    const [pid] = pids;
    await runProgram(['/bin/sh', '-c', `echo late >/proc/${pid}/fd/1`], { env: ENV });
    await expect.poll(() => shell.isUsable).toBe(false);
  });
});

test('a shell that cannot be started leaves nothing', async () => {
  const tasks: Partial<Tasks> = {
    exec: async () => {},
    wait: () => new Promise(() => {}),
    start: () => Promise.reject(new Error('no such program')),
    deleteExec: async () => ({ status: 0, atMs: 0 }),
  };
  const opening = openResidentShell(
    { tasks: tasks as Tasks, clock: systemClock, log: silentLogger, startLimitMs: 5_000 },
    { containerId: 'c1', processJson: '{}', scratchDir },
    ['true'],
  );
  await expect(opening).rejects.toThrow('no such program');
  expect(readdirSync(scratchDir)).toEqual([]);
  expect(existsSync(scratchDir)).toBe(true);
});
