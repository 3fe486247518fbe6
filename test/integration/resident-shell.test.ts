import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Tasks } from '../../src/containerd/tasks.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { hasCode } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createBoundedOutput } from '../../src/probe/bounded-output.ts';
import { environmentFrom } from '../../src/probe/resident-script.ts';
import { openResidentShell, type ResidentShell, type Turn } from '../../src/probe/resident-shell.ts';
import { listSession, readCommandLine } from '../../src/system/proc.ts';
import { runProgram } from '../../testbed/program.ts';
import { until } from '../../testbed/until.ts';

// The protocol with real shells. Each is /bin/sh in a mount namespace of its own, as in an image.

const SHELLS = ['dash', 'bash', 'busybox'].map((name) => [name, `/usr/bin/${name}`] as const);
const here = realpathSync('/bin/sh');

/** Starts a process that holds a mount namespace in which a shell is /bin/sh. */
async function holdNamespace(shell: string): Promise<ChildProcess> {
  const script = 'mount --bind "$0" "$1" && echo && exec sleep 3600';
  const args = ['--mount', '--propagation', 'private', '/bin/sh', '-c', script, shell, here];
  const holder = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout as Readable, 'data');
  return holder;
}

/**
 * A process as a runtime starts it: no shell changes its environment, and its working directory is looked up in the
 * namespace.
 */
interface RuntimeProcess {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
}
function spawnIn(holder: ChildProcess, process: RuntimeProcess, stdio: StdioOptions): ChildProcess {
  const { args, cwd } = process;
  const env = Object.fromEntries(environmentFrom(process.env));
  const home = env.HOME || '/root'; // as runc sets it
  const { LD_PRELOAD: preloaded, ...others } = env; // nsenter itself would load it
  const load = preloaded === undefined ? [] : ['env', `LD_PRELOAD=${preloaded}`];
  const into = ['--target', `${holder.pid}`, '--mount', `--wdns=${cwd}`, '--', ...load, ...args];
  return spawn('nsenter', into, { detached: true, stdio, env: { ...others, HOME: home } });
}

/** A process on this machine in place of an exec: with a session of its own, and the FIFOs as its streams. */
function tasksOf(holder: ChildProcess, pids: number[]): Tasks {
  let process: RuntimeProcess | undefined;
  let stdio: readonly string[] = [];
  let exited: Promise<void> = Promise.resolve();
  const tasks: Partial<Tasks> = {
    exec: async ({ processJson, stdin, stdout, stderr }) => {
      process = JSON.parse(processJson) as RuntimeProcess;
      stdio = [stdin, stdout, stderr];
    },
    start: async () => {
      if (!process) throw new Error('there is no exec');
      const fds = stdio.map((path) => openSync(path, 'r+'));
      const child = spawnIn(holder, process, fds);
      for (const fd of fds) closeSync(fd);
      exited = new Promise((resolve) => child.once('exit', () => resolve()));
      pids.push(child.pid ?? 0);
      return child.pid ?? 0;
    },
    wait: async () => {
      await new Promise((resolve) => setTimeout(resolve, 50)); // requested before the start
      await exited;
      return { status: 0, atMs: 0 };
    },
    deleteExec: async () => ({ status: 0, atMs: 0 }),
  };
  return tasks as Tasks;
}

const PATH = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin';
const ENV = [PATH, 'HOSTNAME=web', "ODD=a b'c\n$d"];
const MINUTE_NS = 60e9;

/** Where no resident shell is possible because a check would differ, a fresh exec makes the check. */
function onlyInvalid(error: unknown): undefined {
  if (!hasCode(error, 'INVALID')) throw error;
}

let scratchDir: string;
beforeAll(() => {
  scratchDir = mkdtempSync(join(tmpdir(), 'healthctl-resident-'));
});
afterAll(() => rmSync(scratchDir, { recursive: true, force: true }));

describe.each(SHELLS)('%s as /bin/sh', (_, path) => {
  const opened: ResidentShell[] = [];
  const pids: number[] = [];
  let holder: ChildProcess;
  beforeAll(async () => {
    holder = await holdNamespace(path);
  });
  afterAll(() => void holder.kill());
  const openWith = async (process: Pick<RuntimeProcess, 'env' | 'cwd'>, items: readonly string[]) => {
    const shell = await openResidentShell(
      { tasks: tasksOf(holder, pids), clock: systemClock, log: silentLogger, startLimitMs: 60_000 },
      { containerId: 'c1', processJson: JSON.stringify(process), scratchDir },
      items,
    );
    opened.push(shell);
    return shell;
  };
  const open = (...items: string[]) => openWith({ env: ENV, cwd: '/' }, items);
  /** The check in an exec of its own: its exit status and output. */
  const fresh = async (process: Pick<RuntimeProcess, 'env' | 'cwd'>, items: readonly string[]) => {
    const printed = join(tmpdir(), `healthctl-fresh-${globalThis.process.pid}-${basename(path)}`);
    const fd = openSync(printed, 'w');
    const child = spawnIn(holder, { ...process, args: ['/bin/sh', '-c', ...items] }, ['ignore', fd, fd]);
    closeSync(fd);
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    const output = createBoundedOutput();
    output.add(readFileSync(printed));
    rmSync(printed);
    const status = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
    return [status, output.text()] as const;
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
  test.each(COMMANDS.map((items) => [items]))('%j gives what a fresh shell gives', async (items) => {
    const shell = await open(...items);
    const turns = [await check(shell), await check(shell)].map(resultOf);
    expect(turns[0]).toEqual(await fresh({ env: ENV, cwd: '/' }, items));
    expect(turns[1]).toEqual(turns[0]);
    expect(shell.isUsable).toBe(true);
  });

  test('has the umask of the container, whatever umask the runtime left', async () => {
    const process = { env: ENV, cwd: '/', user: { uid: 0, gid: 0, umask: 0o027 } };
    expect(resultOf(await check(await openWith(process, ['umask'])))).toEqual([0, '0027\n']);
  });

  // These differ: see docs/probes.md. $PPID, and a name that no variable can have, which dash and busybox do not pass
  // on.
  const SHELL_STATE = [
    'set -o; echo "$-"; trap; alias; jobs; export -p | grep -v PPID=; umask; ulimit -a; echo "$0 $# $* $OPTIND"',
    'printf "%s" "$IFS" | od -c; echo "[$SHLVL] [$PWD] [$OLDPWD]"; set | grep -v PPID=; pwd; readlink /proc/self/cwd',
    'cat /proc/self/oom_score_adj /proc/self/limits; ls /proc/self/fd; nice; readlink /proc/self/fd/0',
    'grep -E "^(Sig[PBIC]|Shd|Cap|NoNew|Secc|Groups|Umask)" /proc/self/status; env | sort; tr "\\000" "\\n" </proc/$$/environ | grep -v "^a\\.b=" | sort',
    'printenv word argument; echo "[$word] [$argument] [$1]"; exit 3',
  ];
  const VARIABLES = {
    common: [
      'word=prod',
      'argument=abc',
      'run=1',
      'SHLVL=4',
      'PWD=/wrong',
      'OLDPWD=/tmp',
      'IFS=x',
      'HOME=/home/me',
      'CDPATH=/usr',
      'ENV=/etc/env',
    ],
    unusual: [
      'LC_ALL=xx_YY',
      'TMOUT=1',
      'POSIXLY_CORRECT=',
      'PS4=+',
      'BASH_ENV=/e',
      'LD_PRELOAD=/missing.so',
      'HOME=',
      'healthctl_0=x=y',
      'a.b=c',
      'OPTIND=3',
    ],
    shells: [
      'SHELLOPTS=xtrace',
      'UID=7',
      'RANDOM=5',
      '_=here',
      'BASH_FUNC_read%%=() { echo lie; }',
      'LINENO=x',
      'EMPTY=',
    ],
  };

  test('each variable that affects a shell is as in a fresh check, or no resident shell is used', async () => {
    const resident: string[] = [];
    for (const variable of [...VARIABLES.common, ...VARIABLES.unusual, ...VARIABLES.shells]) {
      const process = { env: [PATH, variable], cwd: '/usr/bin' };
      const shell = await openWith(process, [SHELL_STATE.join('; '), 'zero', 'one']).catch(onlyInvalid);
      if (!shell) continue;
      resident.push(variable);
      expect([variable, resultOf(await check(shell))]).toEqual([
        variable,
        await fresh(process, [SHELL_STATE.join('; '), 'zero', 'one']),
      ]);
    }
    expect(resident).toEqual(expect.arrayContaining([...VARIABLES.common, ...VARIABLES.unusual]));
  });

  test('any script in any environment gives what a fresh check gives', async () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/).filter((word) => !/^(PATH|LD_|_$)/.test(word));
    const value = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll('\0', ''));
    const variable = fc.oneof(
      fc.tuple(name, value).map(([key, text]) => `${key}=${text}`),
      fc.constantFrom(...VARIABLES.common, ...VARIABLES.unusual, ...VARIABLES.shells),
    );
    const given = fc.record({
      env: fc.array(variable, { maxLength: 8 }),
      cwd: fc.constantFrom('/', '/usr/bin', '/proc'),
      parts: fc.array(fc.constantFrom(...SHELL_STATE, ...COMMANDS.map(([text = '']) => text)), {
        minLength: 1,
        maxLength: 3,
      }),
      items: fc.array(value, { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(given, async ({ env, cwd, parts, items }) => {
        const process = { env: [PATH, ...env], cwd };
        const all = [parts.join('\n'), ...items];
        const shell = await openWith(process, all).catch(onlyInvalid);
        if (shell) expect(resultOf(await check(shell))).toEqual(await fresh(process, all));
        await shell?.close();
      }),
      { numRuns: 25, interruptAfterTimeLimit: 30_000 },
    );
  });

  test('the working directory is looked up for each check; a fresh exec reports a missing one', async () => {
    const cwd = mkdtempSync(join(tmpdir(), "healthctl cwd's "));
    const shell = await openWith({ env: ENV, cwd }, ['cat word']);
    writeFileSync(join(cwd, 'word'), 'first');
    expect(resultOf(await check(shell))).toEqual([0, 'first']);
    rmSync(cwd, { recursive: true });
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'word'), 'second');
    expect(resultOf(await check(shell))).toEqual([0, 'second']);
    rmSync(cwd, { recursive: true });
    expect(await check(shell)).toMatchObject({ kind: 'broken' });
  });

  test('variables of the container are on no command line', async () => {
    await openWith({ env: [PATH, 'SECRET=do-not-tell'], cwd: '/' }, ['sleep 3']);
    const all = listSession(pids[0] ?? 0).map(({ pid }) => readCommandLine(pid) ?? '');
    expect(all.join()).toContain('read -r');
    expect(all.join()).not.toContain('do-not-tell');
  });

  test('no state remains from one check to the next', async () => {
    const shell = await open('pwd; umask; echo "[$LEFT]"; cd /tmp; umask 077; LEFT=1; export LEFT; trap "" TERM');
    const [first, second] = [resultOf(await check(shell)), resultOf(await check(shell))];
    expect(first).toEqual([0, expect.stringMatching(/^\/\n0?0\d\d\n\[\]\n$/)]);
    expect(second).toEqual(first);
  });

  test('a timeout ends the check and its children, and not the shell', async () => {
    const shell = await open('echo begun; sleep 60 & sleep 60 | sleep 60');
    for (const _ of [1, 2]) {
      const turn = await check(shell, 1e9);
      expect(turn).toEqual({ kind: 'over', outcome: { kind: 'timed-out', timeoutNs: 1e9, output: 'begun\n' } });
      expect(listSession(pids[0] ?? 0)).toHaveLength(1);
    }
    expect(shell.isUsable).toBe(true);
  });

  test('endless output costs no memory, and does not delay the next check', async () => {
    const flag = join(tmpdir(), `healthctl-noisy-${process.pid}-${basename(path)}`);
    const shell = await open('if [ -e "$0" ]; then echo fine; else : >"$0"; yes; fi', flag);
    try {
      const output = expect.stringMatching(/^(y\n){2048}\.\.\.$/);
      expect(await check(shell, 2e9)).toMatchObject({ outcome: { kind: 'timed-out', output } });
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
  ])('%s: the answer is not trusted', async (command, reason) => {
    const shell = await open(command);
    expect(await check(shell)).toEqual({ kind: 'broken', reason });
    expect(shell.isUsable).toBe(false);
  });

  test('a cancelled check ends the shell', async () => {
    const shell = await open('sleep 60');
    const given = new AbortController();
    setTimeout(() => given.abort(), 100);
    const turn = await shell.check({ timeoutNs: MINUTE_NS, signal: given.signal });
    expect(turn).toEqual({ kind: 'over', outcome: { kind: 'cancelled' } });
    expect(shell.isUsable).toBe(false);
  });

  test('nothing is written to a closed shell: its descriptor may be another file by then', async () => {
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

  test('output between two checks ends the trust in the shell', async () => {
    const shell = await open('true');
    await check(shell);
    const [pid] = pids;
    await runProgram(['/bin/sh', '-c', `echo late >/proc/${pid}/fd/1`], { env: {} });
    await until(() => !shell.isUsable);
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
    { tasks: tasks as Tasks, clock: systemClock, log: silentLogger, startLimitMs: 60_000 },
    { containerId: 'c1', processJson: '{}', scratchDir },
    ['true'],
  );
  await expect(opening).rejects.toThrow('no such program');
  expect(readdirSync(scratchDir)).toEqual([]);
  expect(existsSync(scratchDir)).toBe(true);
});
