import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { childrenOf, listSession, readStat } from '../../src/system/proc.ts';
import { failUnlessBusy } from '../../testbed/judged.ts';
import { type Bed, openBed, until } from './support/harness.ts';

// Checks by a resident shell: the same results, one process, and nothing left.

interface Seen {
  readonly Config: { readonly Healthcheck: { readonly Exec?: string } };
  readonly State: {
    readonly Pid: number;
    readonly Health: {
      readonly Status: string;
      readonly FailingStreak: number;
      readonly Log: readonly { readonly Start: string; readonly ExitCode: number; readonly Output: string }[];
    };
  };
}

let bed: Bed;
let image: string;
beforeAll(async () => {
  bed = await openBed(['autostart = true']);
  image = await bed.image();
});
afterAll(() => bed[Symbol.asyncDispose]());

const EVERY = ['--health-interval', '200ms', '--health-retries', '1'];
async function run(flags: readonly string[], ...command: string[]): Promise<string> {
  const name = bed.name('r');
  const program = command.length > 0 ? command : ['sleep', '600'];
  await bed.ok(['run', '-d', '--name', name, ...EVERY, ...flags, image, ...program]);
  return name;
}
const inspect = async (name: string): Promise<Seen> => JSON.parse(await bed.ok(['inspect', name]))[0];
const untilSeen = async (name: string, what: (seen: Seen) => boolean): Promise<Seen> => {
  let seen = await inspect(name);
  await until(
    async () => {
      seen = await inspect(name);
      return what(seen);
    },
    { withinMs: 20_000 },
  );
  return seen;
};
const checks = (count: number) => (seen: Seen) => seen.State.Health.Log.length >= count;
const lastOf = ({ State }: Seen) => State.Health.Log.at(-1);

/** The pids, in the container, of shells that read from a pipe: only a resident shell does. */
async function shells(name: string): Promise<readonly string[]> {
  const script =
    'for p in /proc/[0-9]*; do grep -aq "read -r word" $p/cmdline && [ $p != /proc/$$ ] && basename $p; done; true';
  return (await bed.ok(['exec', name, 'sh', '-c', script])).split('\n').filter(Boolean);
}

describe('--health-exec resident', () => {
  test('one shell makes all checks, in the same environment as a fresh exec', async () => {
    const look =
      'env | sort; id; pwd; ulimit -a; grep -E "^(Cap|NoNewPrivs|Seccomp|Sig[BIC])" /proc/self/status; cat /proc/self/cgroup; ls /proc/self/fd; tr "\\000" "\\n" </proc/$$/environ | sort; echo "$word $argument $SHLVL $PWD $HOME"';
    const flags = [
      '-u',
      '1000:1000',
      '--group-add',
      '50',
      '-w',
      '/tmp',
      '-e',
      'A=b c',
      ...['-e', 'word=prod', '-e', 'argument=abc', '-e', 'SHLVL=7', '-e', 'TMOUT=1', '-e', 'healthctl_0=x'],
      '--security-opt',
      'no-new-privileges',
    ];
    const [resident, fresh] = [
      await run([...flags, '--hostname', 'same', '--health-exec', 'resident', '--health-cmd', look]),
      await run([...flags, '--hostname', 'same', '--health-exec', 'fresh', '--health-cmd', look]),
    ];
    const first = await untilSeen(resident, checks(2));
    const [shell] = await shells(resident);
    const seen = await untilSeen(resident, checks(4));
    expect([first.Config.Healthcheck.Exec, seen.State.Health.Status]).toEqual(['resident', 'healthy']);
    expect(await shells(resident)).toEqual([shell]);
    const other = await untilSeen(fresh, checks(2));
    expect(await shells(fresh)).toEqual([]);
    const withoutIds = (text = '') => text.replace(/[0-9a-f]{64}/g, 'ID');
    expect(withoutIds(lastOf(seen)?.Output)).toBe(withoutIds(lastOf(other)?.Output));
    await bed.ok(['rm', '-f', fresh]);
    // A change of the mode is like a change of the interval: the state stays, the shell ends.
    await bed.ok(['update', '--health-exec', 'fresh', resident]);
    await until(async () => (await shells(resident)).length === 0);
    expect((await inspect(resident)).State.Health.Status).toBe('healthy');
    await bed.ok(['rm', '-f', resident]);
  });

  test('a timeout ends only the check; a killed shell is replaced', async (context) => {
    const slow = '[ -e /dev/shm/slow ] && { echo slow; sleep 60 & sleep 60; }; true';
    const name = await run(['--health-exec', 'resident', '--health-timeout', '2s', '--health-cmd', slow]);
    await untilSeen(name, checks(1));
    const [shell] = await shells(name);
    await bed.ok(['exec', name, 'touch', '/dev/shm/slow']);
    const seen = await untilSeen(name, ({ State }) => State.Health.Status === 'unhealthy');
    expect(lastOf(seen)).toMatchObject({ ExitCode: -1, Output: 'Health check exceeded timeout (2s): slow\n' });
    const present = await shells(name);
    if (present.length !== 1 || present[0] !== shell) {
      await bed.ok(['rm', '-f', name]);
      await failUnlessBusy(
        context,
        'the processes of a check did not end within the 2 s after which the shell is replaced',
      );
    }
    await bed.ok(['exec', name, 'rm', '/dev/shm/slow']);
    await untilSeen(name, ({ State }) => State.Health.Status === 'healthy');
    await bed.ok(['exec', name, 'kill', '-9', shell ?? '']);
    await until(async () => (await shells(name)).some((pid) => pid !== shell));
    expect((await inspect(name)).State.Health.FailingStreak).toBe(0);
    await bed.ok(['rm', '-f', name]);
  });

  test('endless output, a fork bomb and children left behind do no harm', async () => {
    const limit = ['--pids-limit', '64', '--health-exec', 'resident', '--health-timeout', '1s'];
    const [noisy, bomb] = [
      await run([...limit, '--health-cmd', 'yes']),
      await run([...limit, '--health-cmd', 'f() { f | f & }; f; sleep 60']),
    ];
    const timedOut = ({ State }: Seen) => State.Health.Log.some(({ ExitCode }) => ExitCode === -1);
    expect(lastOf(await untilSeen(noisy, timedOut))?.Output).toMatch(/\(1s\): (y\n)+\.\.\.$/);
    await untilSeen(bomb, (seen) => checks(3)(seen) && seen.State.Health.Status === 'unhealthy');
    for (const name of [noisy, bomb]) await bed.ok(['rm', '-f', name]);
    // Without a limit of processes, which the leftovers of the checks would reach.
    const parent = await run(['--health-exec', 'resident', '--health-cmd', 'sleep 600 >/dev/null 2>&1 & echo left']);
    expect(lastOf(await untilSeen(parent, checks(4)))).toMatchObject({ ExitCode: 0, Output: 'left\n' });
    await bed.ok(['rm', '-f', parent]);
  });

  test.concurrent.each(['fresh', 'resident'])(
    '--health-reap ends what %s checks leave, and no zombie stays',
    async (mode) => {
      const flags = ['--pids-limit', '12', '--health-reap', '--health-exec', mode, '--health-timeout', '500ms'];
      const [hanging, parent] = [
        await run([...flags, '--health-cmd', '[ -e /dev/shm/well ] || { sleep 60; true; }']),
        await run([...flags, '--health-cmd', '(sleep 600 >/dev/null 2>&1 &); (setsid sleep 600 &); true']),
      ];
      const before = lastOf(await untilSeen(parent, checks(5)))?.Start;
      await untilSeen(hanging, checks(5));
      // More checks than the limit has processes: each of them leaves two.
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      const seen = await untilSeen(parent, (each) => lastOf(each)?.Start !== before);
      expect([lastOf(seen), (await inspect(parent)).State.Health.Status]).toMatchObject([{ ExitCode: 0 }, 'healthy']);
      for (const name of [hanging, parent]) {
        const { Pid } = (await inspect(name)).State;
        await until(() => childrenOf(Pid).length === 0);
      }
      await bed.ok(['exec', hanging, 'touch', '/dev/shm/well']);
      const well = await untilSeen(hanging, ({ State }) => State.Health.Status === 'healthy');
      expect(well.Config.Healthcheck).toMatchObject({ Exec: mode, Reap: true });
      await bed.ok(['update', '--health-reap=false', hanging]);
      expect((await inspect(hanging)).Config.Healthcheck).not.toHaveProperty('Reap');
      for (const name of [hanging, parent]) await bed.ok(['rm', '-f', name]);
    },
  );

  test('a check that reaches the limit of processes gives this reason', async () => {
    const flags = ['--pids-limit', '8', '--health-timeout', '300ms', '--health-cmd', 'sleep 60; true'];
    const name = await run(flags);
    const seen = await untilSeen(name, (each) => lastOf(each)?.Output.includes('processes is reached') ?? false);
    expect(lastOf(seen)?.Output).toMatch(/limit of 8 processes is reached, \d+ of them ended .* use --init/);
    await bed.ok(['rm', '-f', name]);
  });

  test('fails in an image without a shell like a fresh exec', async () => {
    const bare = await bed.image({}, { shell: false });
    const name = bed.name('bare');
    const flags = ['--health-exec', 'resident', '--health-cmd', 'true'];
    await bed.ok(['run', '-d', '--name', name, ...EVERY, ...flags, bare, 'sleep', '600']);
    const seen = await untilSeen(name, checks(1));
    expect(lastOf(seen)).toMatchObject({ ExitCode: -1, Output: expect.stringContaining('/bin/sh') });
    await bed.ok(['rm', '-f', name]);
  });

  test("a pause, a stop and the end of the monitor leave no shell; a killed monitor's is gone after the next start", async () => {
    const before = await bed.traces();
    const name = await run(['--health-exec', 'resident', '--health-cmd', 'true', '--stop-timeout', '0']);
    await untilSeen(name, checks(2));
    await bed.ok(['pause', name]);
    await bed.ok(['unpause', name]);
    const count = (await inspect(name)).State.Health.Log.at(-1)?.Start;
    await untilSeen(name, (seen) => lastOf(seen)?.Start !== count && (lastOf(seen)?.ExitCode ?? 1) === 0);
    expect(await shells(name)).toHaveLength(1);
    await bed.ok(['daemon', 'stop']);
    expect(await shells(name)).toEqual([]);
    await bed.ok(['daemon', 'start']);
    await until(async () => (await shells(name)).length === 1);
    const { pid } = JSON.parse(await bed.ok(['daemon', 'status', '--format', 'json'])) as { pid: number };
    const [left] = await shells(name);
    process.kill(pid, 'SIGKILL');
    await until(() => readStat(pid) === undefined || readStat(pid)?.state === 'Z');
    expect(await shells(name)).toEqual([left]);
    await bed.ok(['daemon', 'start']);
    await until(async () => (await shells(name)).every((shell) => shell !== left));
    const { Pid } = (await inspect(name)).State;
    await bed.ok(['stop', name]);
    expect(listSession(Pid)).toEqual([]);
    await bed.ok(['rm', name]);
    await bed.expectNothingLeft(before);
  });
});
