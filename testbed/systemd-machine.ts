import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { debianRoot } from './debian-root.ts';
import { readProcess } from './processes.ts';
import { mustRun, type ProgramResult, runProgram } from './program.ts';
import { until } from './until.ts';

/** The packages besides the essential ones of Debian 12, whose systemd is 252: later ones refuse cgroup v1. */
const PACKAGES = 'systemd,systemd-sysv,dbus,containerd,runc,iproute2,iptables,containernetworking-plugins,libstdc++6';
const PREFIX = 'healthctl-machine-';
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BOOT = fileURLToPath(new URL('machine/boot.sh', import.meta.url));
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** A tmpfs: an overlay cannot be mounted on an overlay, which may hold the files of the host. */
const CONTAINERS = '/dev/shm';
/** The environment of programs in the machine. */
const ENVIRONMENT = { PATH, HOME: '/root', LANG: 'C.UTF-8' };

/** A machine whose PID 1 is systemd, with containerd as a service, in namespaces of its own. */
export interface SystemdMachine extends AsyncDisposable {
  /** A directory of the host that is /shared in the machine. */
  readonly shared: string;
  /** Runs a program in the machine; never throws for an exit status. */
  run(...command: readonly string[]): Promise<ProgramResult>;
  /** Like `run`, but must exit with 0; returns stdout without the last newline. */
  ok(...command: readonly string[]): Promise<string>;
  /** Like `ok`, for `healthctl ARGS`. */
  healthctl(...args: readonly string[]): Promise<string>;
  /**
   * Ends the machine like a power cut and boots it again: files on a tmpfs are gone, containerd's containers are not.
   * The kernel's boot id stays the same.
   */
  reboot(): Promise<void>;
}

/** Boots a machine from a Debian root that is made once for all runs. Needs root, apt and perl. */
export async function bootMachine(): Promise<SystemdMachine> {
  await sweepMachines();
  const directory = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const name = basename(directory);
  const [root, shared, containers] = [join(directory, 'root'), join(directory, 'shared'), join(CONTAINERS, name)];
  const console = join(directory, 'console');
  let boot: ChildProcess | undefined;
  let init = 0;
  const start = async () => {
    const output = openSync(console, 'a');
    // If this process is killed, so is the machine.
    boot = spawn('setpriv', ['--pdeathsig', 'KILL', '/bin/sh', BOOT], {
      env: {
        ...{ PATH, NAME: name, ROOT: root, SHARED: shared, CONTAINERS: containers },
        ...{ PROGRAM: ROOT, NODE: process.execPath },
      },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    init = await initOf(boot).catch((error: Error) => {
      throw new Error(`${error.message}\n${readFileSync(console, 'utf8')}`);
    });
    await isUp(machine);
  };
  const remove = async () => {
    await endBoot(boot);
    await removeRemains(directory);
  };
  const reboot = async () => {
    await endBoot(boot);
    await removeCgroups(name);
    await start();
  };
  const machine = machineOf({ init: () => init, shared, remove, reboot });
  try {
    await mustRun(['cp', '--archive', '--reflink=auto', await debianRoot(PACKAGES), root], { env: { PATH } });
    mkdirSync(shared);
    mkdirSync(containers);
    await start();
    return machine;
  } catch (error) {
    await remove();
    throw error;
  }
}

async function isUp(machine: SystemdMachine): Promise<void> {
  await until(async () => /running|degraded/.test((await machine.run('systemctl', 'is-system-running')).stdout), {
    withinMs: 60_000,
    everyMs: 100,
    what: 'the machine to be up',
  });
  await until(async () => (await machine.run('ctr', 'version')).code === 0, {
    withinMs: 30_000,
    everyMs: 100,
    what: 'containerd to answer',
  });
}

function machineOf(parts: {
  readonly init: () => number;
  readonly shared: string;
  readonly remove: () => Promise<void>;
  readonly reboot: () => Promise<void>;
}): SystemdMachine {
  const inside = (command: readonly string[]) => ['nsenter', '--target', `${parts.init()}`, '--all', '--', ...command];
  const ok = async (...command: readonly string[]) =>
    (await mustRun(inside(command), { env: ENVIRONMENT, timeoutMs: 120_000 })).replace(/\n$/, '');
  return {
    shared: parts.shared,
    run: (...command) => runProgram(inside(command), { env: ENVIRONMENT, timeoutMs: 120_000 }),
    ok,
    healthctl: (...args) => ok('/opt/healthctl/bin/healthctl', ...args),
    reboot: parts.reboot,
    [Symbol.asyncDispose]: parts.remove,
  };
}

/** The pid on the host of the machine's PID 1: the only child of the process that created the namespaces. */
async function initOf(boot: ChildProcess): Promise<number> {
  let init = 0;
  const look = () => {
    if (boot.exitCode !== null) throw new Error(`booting ended with ${boot.exitCode}`);
    const children = readFileSync(`/proc/${boot.pid}/task/${boot.pid}/children`, 'utf8').trim();
    const isInit = children !== '' && readFileSync(`/proc/${Number(children)}/comm`, 'utf8') === 'systemd\n';
    init = isInit ? Number(children) : 0;
    return init > 0;
  };
  await until(look, { withinMs: 20_000, everyMs: 20, what: 'systemd to start' });
  return init;
}

/** The process that created the namespaces takes the machine's PID 1 and everything inside with it. */
async function endBoot(boot: ChildProcess | undefined): Promise<void> {
  if (!boot || boot.exitCode !== null || boot.signalCode !== null) return;
  const ended = new Promise((resolve) => boot.once('exit', resolve));
  boot.kill('SIGKILL');
  await ended;
}

/** Removes machines of killed runs. Their names contain the pid of the process that made them. */
async function sweepMachines(): Promise<void> {
  for (const name of new Set([...readdirSync(tmpdir()), ...readdirSync(CONTAINERS)])) {
    const pid = /^healthctl-machine-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !readProcess(Number(pid))) await removeRemains(join(tmpdir(), name));
  }
}

async function removeRemains(directory: string): Promise<void> {
  await removeCgroups(basename(directory));
  for (const path of [directory, join(CONTAINERS, basename(directory))]) rmSync(path, { recursive: true, force: true });
}

async function removeCgroups(name: string): Promise<void> {
  const own = [
    join('/sys/fs/cgroup', name),
    ...readdirSync('/sys/fs/cgroup').map((each) => join('/sys/fs/cgroup', each, name)),
  ];
  const gone = () => {
    for (const path of own) if (existsSync(path)) removeCgroup(path);
    return own.every((path) => !existsSync(path));
  };
  await until(gone, { withinMs: 10_000, everyMs: 50, what: 'the cgroups of the machine to be empty' });
}

function removeCgroup(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  try {
    rmdirSync(path);
  } catch {
    // a process in it is still ending
  }
}
