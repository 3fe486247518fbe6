import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';

/** A process as described by `/proc/<pid>/stat` (proc(5)). */
export interface ProcessStat {
  readonly pid: number;
  /** One letter: R, S, D, Z … */
  readonly state: string;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** Clock ticks since boot. Together with pid and boot id it identifies a process for all time. */
  readonly startTimeTicks: number;
}

/** Undefined if there is no such process. */
export function readStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return undefined;
    throw error;
  }
  return parseStat(pid, text);
}

/**
 * The name of a process is in parentheses and may contain any character, also parentheses: fields are counted from the
 * last one.
 */
export function parseStat(pid: number, text: string): ProcessStat | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .trim()
    .split(' ');
  const [state, parentPid, groupId, sessionId] = fields;
  const startTimeTicks = fields[19];
  if (state === undefined || parentPid === undefined || sessionId === undefined || startTimeTicks === undefined)
    return undefined;
  return {
    pid,
    state,
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    sessionId: Number(sessionId),
    startTimeTicks: Number(startTimeTicks),
  };
}

/** Whether a process still runs: a zombie does not. */
export const isAlive = (stat: ProcessStat | undefined): boolean =>
  stat !== undefined && stat.state !== 'Z' && stat.state !== 'X';

export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** The pids of all processes. */
export function listPids(): readonly number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** All processes. */
export function listProcesses(): readonly ProcessStat[] {
  return listPids().flatMap((pid) => readStat(pid) ?? []);
}

/**
 * The living processes of a session: what its leader and descendants left running, except daemons that left the
 * session.
 */
export function listSession(sessionId: number): readonly ProcessStat[] {
  return listProcesses().filter((stat) => stat.sessionId === sessionId && isAlive(stat));
}

/** Whether a process has this file open. False if the process is gone. */
export function hasOpen(pid: number, path: string): boolean {
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
  return names.some((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`) === path;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return false; // closed meanwhile
    }
  });
}

/** The interfaces of this network namespace, from `/proc/net/dev`: a line begins with the name and a colon. */
function readNetworkDevices(): string {
  return readFileSync('/proc/self/net/dev', 'latin1');
}

/** Whether this host has a network interface of this name. */
export function hasNetworkDevice(name: string): boolean {
  return readNetworkDevices()
    .split('\n')
    .some((line) => line.trim().startsWith(`${name}:`));
}

/** Children of a process with one thread. */
export function childrenOf(pid: number): readonly number[] {
  const listed = readProcFile(`/proc/${pid}/task/${pid}/children`);
  // A kernel without CONFIG_PROC_CHILDREN lacks the file.
  if (listed === undefined)
    return listProcesses()
      .filter(({ parentPid }) => parentPid === pid)
      .map((stat) => stat.pid);
  return listed.split(' ').filter(Boolean).map(Number);
}

/** The arguments of a process, each terminated by NUL; undefined if it is gone. */
export const readCommandLine = (pid: number): string | undefined => readProcFile(`/proc/${pid}/cmdline`);

/** The environment with which a process was started, `NAME=value`; undefined if it is gone or cannot be read. */
export const readEnvironment = (pid: number): readonly string[] | undefined =>
  readProcFile(`/proc/${pid}/environ`)?.split('\0').filter(Boolean);

function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
