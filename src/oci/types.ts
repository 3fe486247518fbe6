/**
 * The part of the OCI runtime specification (1.0, Linux) that healthctl writes and reads. Other tools' specs keep their
 * further fields through parseRuntimeSpec; these types name only what we use.
 *
 * `Uint64` is a bigint where a number would lose precision, e.g. 18446744073709551615 for an unlimited rlimit. Always
 * use encodeJson and decodeJson of lib/json.ts: JSON.stringify throws on a bigint and JSON.parse rounds.
 */
export type Uint64 = number | bigint;

export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly process?: ContainerProcess;
  readonly root?: { readonly path: string; readonly readonly?: boolean };
  readonly hostname?: string;
  readonly mounts?: readonly Mount[];
  readonly linux?: Linux;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** `process`: how to start a container's first process, or an exec. */
export interface ContainerProcess {
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly width: number; readonly height: number } | undefined;
  readonly user: User;
  readonly args?: readonly string[];
  /** `NAME=value`. */
  readonly env?: readonly string[];
  readonly cwd: string;
  readonly capabilities?: Capabilities;
  readonly rlimits?: readonly Rlimit[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  readonly oomScoreAdj?: number;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids?: readonly number[];
  /** E.g. 0o022. */
  readonly umask?: number;
}

/** Names with prefix, e.g. `CAP_CHOWN`. */
export interface Capabilities {
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly permitted?: readonly string[];
  readonly ambient?: readonly string[];
}

export interface Rlimit {
  /** E.g. `RLIMIT_NOFILE`. */
  readonly type: string;
  readonly soft: Uint64;
  readonly hard: Uint64;
}

export interface Mount {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: readonly string[];
}

export interface Linux {
  readonly namespaces?: readonly Namespace[];
  readonly resources?: Resources;
  readonly devices?: readonly Device[];
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly seccomp?: Seccomp;
  readonly cgroupsPath?: string;
  /** `shared`, `slave`, `private` or `unbindable`, each also with `r` in front. */
  readonly rootfsPropagation?: string;
  readonly sysctl?: Readonly<Record<string, string>>;
}

export interface Namespace {
  readonly type: 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time' | (string & {});
  /** A namespace to join, e.g. `/proc/1234/ns/net`; absent: a new one. */
  readonly path?: string;
}

export interface Resources {
  readonly devices?: readonly DeviceRule[];
  readonly memory?: {
    /** Bytes. */
    readonly limit?: Uint64;
    /** Bytes of memory and swap together. */
    readonly swap?: Uint64;
    /** Bytes. */
    readonly reservation?: Uint64;
    readonly disableOOMKiller?: boolean;
  };
  readonly blockIO?: { readonly weight?: number };
  readonly cpu?: {
    /** Microseconds in each period. */
    readonly quota?: Uint64;
    /** Microseconds. */
    readonly period?: Uint64;
    readonly shares?: Uint64;
    /** Microseconds, as are quota and period; cgroup v1 only. */
    readonly realtimeRuntime?: Uint64;
    readonly realtimePeriod?: Uint64;
    /** Lists and ranges, e.g. `0-2,7`. */
    readonly cpus?: string;
    readonly mems?: string;
  };
  readonly pids?: { readonly limit?: Uint64 };
}

export interface DeviceRule {
  readonly allow: boolean;
  /** `a` (also when absent), `b` or `c`. */
  readonly type?: string;
  /** Absent or -1: any. */
  readonly major?: number;
  readonly minor?: number;
  /** Of `r`, `w` and `m`. */
  readonly access?: string;
}

/** A device node made in the container. */
export interface Device {
  readonly path: string;
  /** `b`, `c`, `u` or `p`. */
  readonly type: string;
  readonly major?: number;
  readonly minor?: number;
  /** Permission bits, e.g. 0o666. */
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface Seccomp {
  /** E.g. `SCMP_ACT_ERRNO`. */
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  /** E.g. `SCMP_ARCH_X86_64`. */
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly syscalls?: readonly SeccompRule[];
}

/** The action for calls with these names whose arguments match all of `args`. */
export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
}

export interface SeccompArgument {
  /** Index of the argument, from 0. */
  readonly index: number;
  /** The number to compare with; for `SCMP_CMP_MASKED_EQ` the mask. */
  readonly value: Uint64;
  /** For `SCMP_CMP_MASKED_EQ`: the value that the masked argument must have. Absent: 0. */
  readonly valueTwo?: Uint64;
  /** E.g. `SCMP_CMP_EQ`. */
  readonly op: string;
}
