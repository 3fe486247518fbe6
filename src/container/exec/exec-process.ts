import { closeSync } from 'node:fs';
import { HealthctlError } from '../../lib/errors.ts';
import { decodeJson } from '../../lib/json.ts';
import { parseRuntimeSpec } from '../../oci/read-spec.ts';
import type { ContainerProcess, User } from '../../oci/types.ts';
import { resolveUser } from '../../oci/user.ts';
import { storedConfigOf } from '../../record/stored-config.ts';
import type { ContainerView } from '../../record/view.ts';
import { readFilesInRoot, readFilesOfMount } from '../../system/rootfs.ts';
import type { TerminalSize } from '../console/terminal.ts';
import type { ContainerContext } from '../context.ts';
import { openRootOfRun } from '../copy/container-root.ts';
import { ensureAppArmorOfExec } from '../host/apparmor.ts';
import { readHostFacts } from '../host/host-facts.ts';

/** A real /etc/passwd has some thousand lines at most. */
const MAX_PASSWD_BYTES = 4 << 20;

/** The process of an exec, as the runtime gets it. */
export type ExecProcess = ContainerProcess;

/** The program to run in a container. */
export interface ExecProgram {
  readonly args: readonly string[];
  /** `NAME=value`, or `NAME` alone to remove it. */
  readonly env: readonly string[];
  /** `-u`; absent: the container's own. */
  readonly user?: string;
  /** `-w`; absent: the container's own. */
  readonly cwd?: string;
  readonly privileged: boolean;
  readonly terminal: boolean;
}

/**
 * The container's own OCI process with another program: its whole security profile stays.
 *
 * @param program.runDir a directory of ours, for a mount that lasts for one system call
 * @throws CORRUPT for a container without a runtime spec; INVALID `unable to find user x: no matching entries in passwd
 *   file`; errors of ensureAppArmorProfile
 */
export async function execProcess(
  ctx: Pick<ContainerContext, 'containerd' | 'clock'>,
  view: ContainerView,
  program: ExecProgram & { readonly runDir: string },
): Promise<ExecProcess> {
  const own = processOf(view);
  await ensureAppArmorOfExec(ctx, own);
  const user =
    program.user === undefined ? undefined : await userOf(ctx, view, { user: program.user, runDir: program.runDir });
  return processWith(own, program, user);
}

function processOf({ record }: ContainerView): ContainerProcess {
  const json = record.specJson();
  const process = json === undefined ? undefined : parseRuntimeSpec(decodeJson(json)).process;
  if (!process) throw new HealthctlError('CORRUPT', `container ${record.id} has no runtime spec`);
  return process;
}

/**
 * Pure: the changes of `exec` to a container's process. A privileged one keeps its AppArmor profile (moby
 * daemon/exec_linux.go).
 */
export function processWith(own: ContainerProcess, program: ExecProgram, user?: User): ExecProcess {
  const { terminal, privileged } = program;
  const all = privileged ? readHostFacts({ withDevices: false }).capabilities : undefined;
  return {
    ...own,
    args: program.args,
    env: mergeEnv(own.env ?? [], terminal ? ['TERM=xterm'] : [], program.env),
    cwd: program.cwd ?? own.cwd,
    user: { ...own.user, ...user },
    terminal,
    consoleSize: undefined, // the container's
    ...(all ? { capabilities: { bounding: all, effective: all, permitted: all } } : {}),
  };
}

/** Pure: with a terminal of that size. */
export function withSize(process: ExecProcess, size: TerminalSize | undefined): ExecProcess {
  return process.terminal && size ? { ...process, consoleSize: size } : process;
}

/**
 * A later entry replaces an earlier one in place; a name alone removes; defaults apply only where the container has
 * none.
 */
function mergeEnv(own: readonly string[], defaults: readonly string[], given: readonly string[]): readonly string[] {
  const merged = new Map<string, string>();
  for (const variable of [...defaults, ...own, ...given]) {
    const name = variable.split('=', 1)[0] ?? '';
    if (variable.includes('=')) merged.set(name, variable);
    else merged.delete(name);
  }
  return [...merged.values()];
}

async function userOf(
  { containerd }: Pick<ContainerContext, 'containerd'>,
  view: ContainerView,
  { user, runDir }: { readonly user: string; readonly runDir: string },
): Promise<User> {
  const { record } = view;
  const files = userFilesOfRun(view) ?? (await userFilesOfSnapshot({ containerd }, record, runDir));
  const { uid, gid, additionalGids } = resolveUser({
    user,
    groupAdd: groupAddOf(record),
    passwd: files.get('/etc/passwd')?.toString('utf8'),
    group: files.get('/etc/group')?.toString('utf8'),
  });
  return { uid, gid, additionalGids };
}

const USER_FILES = ['/etc/passwd', '/etc/group'];

/** Without those that are mounted: Docker does not look at them. Undefined if there are such, or if it has ended. */
function userFilesOfRun(view: ContainerView): Map<string, Buffer | undefined> | undefined {
  const root = openRootOfRun(view);
  if (root === undefined) return undefined;
  try {
    return readFilesOfMount(root, USER_FILES, MAX_PASSWD_BYTES);
  } finally {
    closeSync(root);
  }
}

async function userFilesOfSnapshot(
  { containerd }: Pick<ContainerContext, 'containerd'>,
  { snapshotter, snapshotKey: key }: ContainerView['record'],
  parent: string,
): Promise<Map<string, Buffer | undefined>> {
  const mounts = await containerd.snapshots.mounts({ snapshotter, key });
  return readFilesInRoot(mounts, USER_FILES, { maxBytes: MAX_PASSWD_BYTES, parent });
}

/** `--group-add` of the container, which Docker applies to every user in it. */
function groupAddOf(record: ContainerView['record']): readonly string[] {
  const groups = storedConfigOf(record)?.HostConfig.GroupAdd;
  return Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [];
}
