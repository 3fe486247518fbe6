import { constants, existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import { join } from 'node:path';
import { errnoOf, HealthctlError } from '../../lib/errors.ts';
import { capabilitiesOfMask } from '../../oci/capabilities.ts';
import type { GoArch } from '../../oci/seccomp.ts';
import type { HostFacts } from '../../oci/spec.ts';
import type { Device } from '../../oci/types.ts';
import { readCapabilityMask } from '../../system/kernel-limits.ts';
import { isProgram } from '../../system/programs.ts';

/** Node.js's architecture names to Go's. */
const ARCHITECTURES: Readonly<Record<string, GoArch>> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  ppc64: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
  ia32: '386',
};

/** The host facts that the runtime spec depends on. @param options.withDevices for `--privileged` */
export function readHostFacts(options: { readonly withDevices: boolean }): HostFacts {
  const cgroup2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
  return {
    arch: ARCHITECTURES[process.arch] ?? 'amd64',
    kernelVersion: release(),
    cgroup2,
    swapLimit: cgroup2 || existsSync('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes'),
    cpuRealtime: !cgroup2 && existsSync('/sys/fs/cgroup/cpu/cpu.rt_period_us'),
    cpus: availableParallelism(),
    throttling: listThrottling('/sys/devices/system/cpu'),
    capabilities: ownCapabilities(),
    ...(options.withDevices ? { devices: listDevices('/dev') } : {}),
  };
}

/** The CPUs and memory nodes available to containers; undefined if the kernel does not report them. */
export function readCpuset({
  cgroup2,
}: Pick<HostFacts, 'cgroup2'>): { readonly cpus: string; readonly mems: string } | undefined {
  const [dir, suffix] = cgroup2 ? ['/sys/fs/cgroup', '.effective'] : ['/sys/fs/cgroup/cpuset', ''];
  try {
    const read = (name: string) => readFileSync(`${dir}/cpuset.${name}${suffix}`, 'latin1').trim();
    return { cpus: read('cpus'), mems: read('mems') };
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** Of all CPUs, also of those that we may not run on. */
function listThrottling(dir: string): readonly string[] {
  const numbers = (existsSync(dir) ? readdirSync(dir) : []).flatMap((name) => /^cpu(\d+)$/.exec(name)?.[1] ?? []);
  return numbers
    .map(Number)
    .sort((a, b) => a - b)
    .map((cpu) => join(dir, `cpu${cpu}`, 'thermal_throttle'))
    .filter((path) => existsSync(path));
}

const ownCapabilities = (): readonly string[] => capabilitiesOfMask(readCapabilityMask('CapBnd'));

/**
 * Directories of /dev that a container has its own version of (moby: daemon/oci_linux.go with libcontainer's
 * HostDevices).
 */
const OWN_DIRECTORIES = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev']);

function listDevices(dir: string): readonly Device[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry): readonly Device[] => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return OWN_DIRECTORIES.has(entry.name) ? [] : listDevices(path);
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
    if (path === '/dev/console') return [];
    return deviceAt(path);
  });
}

/** The node at a path, as a device of the runtime spec; empty if it is gone. */
export function deviceAt(path: string): readonly Device[] {
  try {
    const { rdev, mode, uid, gid } = lstatSync(path, { bigint: true });
    const type = (Number(mode) & constants.S_IFMT) === constants.S_IFBLK ? 'b' : 'c';
    return [{ path, type, ...deviceNumbers(rdev), fileMode: Number(mode) & 0o777, uid: Number(uid), gid: Number(gid) }];
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []; // unplugged meanwhile
    throw error;
  }
}

/** glibc: sys/sysmacros.h, gnu_dev_major and gnu_dev_minor. */
function deviceNumbers(rdev: bigint): { major: number; minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & ~0xffn)),
  };
}

/** Static builds of tini, under Docker's and Debian's names: a dynamic one would need the image's C library. */
const INIT_NAMES = ['docker-init', 'tini-static'];

/** The init program for `--init`. Throws NOT_FOUND with the package to install. */
export function findInit(path: string): string {
  const found = findProgram(INIT_NAMES, path);
  if (found === undefined)
    throw new HealthctlError('NOT_FOUND', 'an init process needs docker-init or tini-static on the PATH', {
      hint: "Debian's package tini has tini-static",
    });
  return found;
}

/** The OCI runtime that `--runtime` names: a path, or a program in the PATH. Throws NOT_FOUND. */
export function findRuntime(name: string, path: string): string {
  const found = name.startsWith('/') ? (existsSync(name) ? name : undefined) : findProgram([name], path);
  if (found === undefined)
    throw new HealthctlError('INVALID', `unknown or invalid runtime name: ${name}`, {
      hint: 'give runc, crun, or the path of an OCI runtime',
    });
  return found;
}

function findProgram(names: readonly string[], path: string): string | undefined {
  const dirs = [...path.split(':'), '/usr/sbin', '/sbin', '/usr/local/sbin'].filter((dir) => dir !== '');
  return names.flatMap((name) => dirs.map((dir) => join(dir, name))).find(isProgram);
}
