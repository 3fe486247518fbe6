import { constants, ftruncateSync, readdirSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { errnoOf, fileReasonOf, HealthctlError, hasCode } from '../lib/errors.ts';
import type { OnFault } from '../lib/fault-reporter.ts';
import type { Logger } from '../lib/logger.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { isNumber, isText, objectIn, parseJsonText } from '../lib/shape.ts';
import { type FileLock, lockFile } from '../system/flock.ts';
import { inspectOwnFile, makeOwnDirectory } from '../system/own-file.ts';
import { realPath } from '../system/real-path.ts';
import { factsOfPath } from '../system/statx.ts';

/** The common directory of all monitors of the host, whatever their run roots. On a tmpfs, owned by root, mode 0700. */
export const CLAIMS_DIR = '/run/healthctl-monitors';

/** The monitor that checks the containers of a containerd, or of some of its namespaces. */
export interface ClaimHolder {
  readonly pid: number;
  readonly runRoot: string;
}

export interface ClaimSettings {
  /** Path of containerd's socket. */
  readonly address: string;
  readonly runRoot: string;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** Default CLAIMS_DIR. */
  readonly dir?: string;
}

/**
 * The lock by which one monitor owns a containerd, or some of its namespaces. Monitors without a common namespace may
 * run side by side.
 *
 * It belongs to the socket, by device and inode, so that symbolic links, bind mounts and other run roots lead to the
 * same claim; and to the socket's path, so that no other monitor takes it while containerd restarts and has another
 * socket.
 */
export interface MonitorClaim {
  /**
   * Call it whenever containerd answers (again): its socket may be a new one. Throws CONFLICT if another monitor has
   * claimed that.
   */
  follow(): Promise<void>;
  release(): Promise<void>;
}

/**
 * A command that looks for the holder of a claim holds the claim itself for a moment: on a busy machine, for seconds.
 */
const PATIENCE_MS = 1_000;
const MAX_PATIENT_TRIES = 15;
const MAX_TRIES = 10;
const OPEN_OR_MAKE = constants.O_RDWR | constants.O_CREAT;

/**
 * Throws CONFLICT with the monitor that has the claim. If the directory cannot be used, it warns that a monitor with
 * another run root is not excluded, and the claim has no effect.
 */
export async function claimMonitor(
  settings: ClaimSettings,
  { clock, log }: { readonly clock: Clock; readonly log: Pick<Logger, 'warn'> },
): Promise<MonitorClaim> {
  const { dir = CLAIMS_DIR, address } = settings;
  const onFault = (text: string): void => log.warn(text);
  const held = new Map<string, readonly Claimed[]>();
  const take = async (key: string | undefined): Promise<void> => {
    if (key === undefined || held.has(key)) return;
    held.set(key, await takeInDir({ ...settings, dir, onFault }, key, clock));
  };
  const drop = async (key: string): Promise<void> => {
    const claimed = held.get(key) ?? [];
    held.delete(key);
    for (const one of claimed) await giveUp(one, clock);
  };
  const pathKey = pathKeyOf(address);
  const follow = async (): Promise<void> => {
    const socketKey = socketKeyOf(address);
    if (socketKey === undefined) return; // containerd is down: the claim by path still excludes others
    await take(socketKey);
    for (const key of [...held.keys()]) if (key !== pathKey && key !== socketKey) await drop(key);
  };
  const release = async (): Promise<void> => {
    for (const key of [...held.keys()]) await drop(key);
    removeIfEmpty(dir);
  };
  try {
    await take(pathKey);
    await follow();
  } catch (error) {
    await release();
    if (errnoOf(error) === undefined && !hasCode(error, 'CORRUPT')) throw error;
    log.warn(`cannot prevent a second monitor with another run root: ${dir} cannot be used: ${fileReasonOf(error)}`);
    return { follow: async () => undefined, release: async () => undefined };
  }
  return { follow, release };
}

/**
 * The monitor that has claimed this namespace, if it can be determined; undefined if there is none, or we lack
 * permission.
 */
export async function findClaimHolder(
  {
    address,
    namespace,
    dir = CLAIMS_DIR,
  }: { readonly address: string; readonly namespace: string; readonly dir?: string },
  clock: Clock,
): Promise<ClaimHolder | undefined> {
  for (const key of [socketKeyOf(address), pathKeyOf(address)]) {
    if (key === undefined) continue;
    for (const path of [fileOfAll(dir, key), fileOf(dir, key, namespace)]) {
      if (await isHeld(path, clock)) return holderIn(path);
    }
  }
  return undefined;
}

const pathKeyOf = (address: string): string => `path-${sha256Hex(address).slice(0, 16)}`;

/** Undefined without a socket. */
function socketKeyOf(address: string): string | undefined {
  const path = realPath(address);
  const facts = path === undefined ? undefined : factsOfPath(path);
  return facts && `socket-${facts.device.toString(16)}-${facts.inode.toString(16)}`;
}

/** Held exclusively by a monitor of all namespaces, shared by those of some. */
const fileOfAll = (dir: string, key: string): string => join(dir, `${key}.lock`);
const fileOf = (dir: string, key: string, namespace: string): string => join(dir, `${key}.${namespace}.lock`);

interface Claimed {
  readonly path: string;
  readonly lock: FileLock;
  readonly isShared: boolean;
}

interface TakeSettings extends ClaimSettings {
  readonly dir: string;
  readonly onFault: OnFault;
}

/** A monitor that ends removes the directory, perhaps between its creation and its use here. */
async function takeInDir(settings: TakeSettings, key: string, clock: Clock): Promise<readonly Claimed[]> {
  for (let tries = 1; ; tries += 1) {
    makeOwnDirectory(settings.dir, settings);
    try {
      return await takeKey(settings, key, clock);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || tries === MAX_TRIES) throw error;
    }
  }
}

/** Others may use it, and systemd may have mounted it: then it stays. */
function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

async function takeKey(
  { dir, onFault, namespaces, runRoot, address }: TakeSettings,
  key: string,
  clock: Clock,
): Promise<readonly Claimed[]> {
  const all = { path: fileOfAll(dir, key), isShared: namespaces.length > 0 };
  const wanted = [all, ...namespaces.map((name) => ({ path: fileOf(dir, key, name), isShared: false }))];
  const claimed: Claimed[] = [];
  try {
    for (const { path, isShared } of wanted) {
      const isOfAll = path === all.path;
      // Monitors of some namespaces hold the lock of all without writing into it.
      const holder = async (): Promise<unknown> =>
        isOfAll && !isShared ? anyHolder(dir, key, wanted, clock) : holderIn(path);
      const lock = await lockClaim({ path, isShared, onFault, holder }, clock);
      claimed.push({ path, lock, isShared });
      ftruncateSync(lock.fd, 0); // left by a monitor that was killed
      if (!isShared) writeSync(lock.fd, JSON.stringify({ pid: process.pid, runRoot }), 0);
    }
    return claimed;
  } catch (error) {
    for (const one of claimed) await giveUp(one, clock);
    if (!hasCode(error, 'TIMEOUT')) throw error;
    throw conflictWith(await anyHolder(dir, key, wanted, clock), address);
  }
}

/** A monitor writes into the file that it holds a claim of its own. A holder that has not written will be gone soon. */
async function lockClaim(
  {
    path,
    isShared,
    onFault,
    holder,
  }: {
    readonly path: string;
    readonly isShared: boolean;
    readonly onFault: OnFault;
    readonly holder: () => Promise<unknown>;
  },
  clock: Clock,
): Promise<FileLock> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await lockFile({ path, flags: OPEN_OR_MAKE, isShared, timeoutMs: PATIENCE_MS, onFault }, clock);
    } catch (error) {
      if (!hasCode(error, 'TIMEOUT') || tries === MAX_PATIENT_TRIES || (await holder()) !== undefined) throw error;
    }
  }
}

/** A file that others also hold stays: it identifies them to new monitors. */
async function giveUp({ path, lock, isShared }: Claimed, clock: Clock): Promise<void> {
  if (!isShared) rmSync(path, { force: true });
  lock.release();
  if (isShared) await removeIfFree(path, clock);
}

async function removeIfFree(path: string, clock: Clock): Promise<void> {
  try {
    const lock = await lockFile({ path, flags: constants.O_RDWR, timeoutMs: 0 }, clock);
    rmSync(path, { force: true });
    lock.release();
  } catch (error) {
    if (!hasCode(error, 'TIMEOUT') && errnoOf(error) === undefined) throw error;
  }
}

/** One of the conflicting monitors, for the message. */
async function anyHolder(
  dir: string,
  key: string,
  wanted: readonly { readonly path: string }[],
  clock: Clock,
): Promise<ClaimHolder | undefined> {
  const ofNamespaces = readdirSync(dir).filter((name) => name.startsWith(`${key}.`));
  for (const path of [...wanted.map(({ path }) => path), ...ofNamespaces.map((name) => join(dir, name))]) {
    const owner = (await isHeld(path, clock)) ? holderIn(path) : undefined;
    if (owner) return owner;
  }
  return undefined;
}

/** Throws nothing for a missing or unreadable file. */
async function isHeld(path: string, clock: Clock): Promise<boolean> {
  try {
    const lock = await lockFile({ path, flags: constants.O_RDONLY, isShared: true, timeoutMs: 0 }, clock);
    lock.release();
    return false;
  } catch (error) {
    if (hasCode(error, 'TIMEOUT')) return true;
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}

/** Undefined also while it is being written or removed. */
function holderIn(path: string): ClaimHolder | undefined {
  const found = inspectOwnFile(path);
  if (found.kind !== 'read') return undefined;
  const { pid, runRoot } = objectIn(parseJsonText(found.bytes.toString('utf8')));
  return isNumber(pid) && isText(runRoot) ? { pid, runRoot } : undefined;
}

/** Another monitor of the same containerd. @param owner undefined if unknown */
export function conflictWith(owner: ClaimHolder | undefined, address: string): HealthctlError {
  const who = owner ? `process ${owner.pid}, with the run root ${owner.runRoot}` : 'its process is unknown';
  return new HealthctlError('CONFLICT', `a monitor of containerd at ${address} runs already: ${who}`, {
    hint: owner
      ? `work with it: --run-root ${owner.runRoot}; or end it: healthctl --run-root ${owner.runRoot} daemon stop`
      : `see who holds the locks in ${CLAIMS_DIR}: fuser -v ${CLAIMS_DIR}/*`,
  });
}
