import { hasCode } from '../lib/errors.ts';
import { anyFromJson, PROCESS_TYPE_URL, RESOURCES_TYPE_URL } from './any.ts';
import { type Process, Status } from './gen/containerd/task.ts';
import { TasksDefinition as Service } from './gen/containerd/tasks.ts';
import type { Mount } from './gen/containerd/types.ts';
import type { Rpc } from './rpc.ts';
import { RUNC_OPTIONS_TYPE_URL, RuncOptions } from './runc-options.ts';
import { millisFromTimestamp } from './time.ts';
import type { CallOptions } from './transport.ts';

/** `unknown`: the shim did not answer containerd in time; the process may run, and its pid is unknown. */
export type TaskStatus = 'unknown' | 'created' | 'running' | 'stopped' | 'paused' | 'pausing';

/** A process under containerd: the main one of a container (its task) or an exec in it. */
export interface TaskRecord {
  readonly containerId: string;
  /** In the host's pid namespace; 0 if it was never started. */
  readonly pid: number;
  readonly status: TaskStatus;
  /** Valid if stopped. */
  readonly exitStatus: number;
  readonly exitedAtMs: number | undefined;
  readonly terminal: boolean;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Exit {
  readonly status: number;
  readonly atMs: number;
}

/** Paths that the shim opens: FIFOs, or plain files that it appends to. Empty: none. */
export interface TaskStdio {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
}

export type { Mount };

export interface Tasks {
  /**
   * The task of a container; undefined if it has none. A shim that does not answer in time is asked again before its
   * status is `unknown`.
   */
  find(containerId: string, options?: CallOptions): Promise<TaskRecord | undefined>;
  /** An exec in a container; undefined if there is none with that id. */
  findExec(
    exec: { readonly containerId: string; readonly execId: string },
    options?: CallOptions,
  ): Promise<TaskRecord | undefined>;
  /** All tasks of the namespace in one call. */
  list(options?: CallOptions): Promise<readonly TaskRecord[]>;
  /** @returns the pid of the process, which waits for its start */
  create(
    task: TaskStdio & {
      readonly containerId: string;
      readonly rootfs: readonly Mount[];
      readonly runcOptions?: RuncOptions;
    },
    options?: CallOptions,
  ): Promise<number>;
  /** @returns the pid */
  start(process: { readonly containerId: string; readonly execId?: string }, options?: CallOptions): Promise<number>;
  /**
   * Registers a process to be started in a running container. @param exec.processJson the OCI `process` as JSON text
   */
  exec(
    exec: TaskStdio & { readonly containerId: string; readonly execId: string; readonly processJson: string },
    options?: CallOptions,
  ): Promise<void>;
  /** Resolves when the process ends, or at once if it has. No deadline. */
  wait(process: { readonly containerId: string; readonly execId?: string }, options?: CallOptions): Promise<Exit>;
  /** Throws TIMEOUT if the shim does not answer: it is then unknown whether the signal arrived. */
  kill(
    process: {
      readonly containerId: string;
      readonly execId?: string;
      readonly signal: number;
      readonly all?: boolean;
    },
    options?: CallOptions,
  ): Promise<void>;
  /** Deletes a stopped task. */
  delete(containerId: string, options?: CallOptions): Promise<Exit>;
  /** Deletes a stopped exec. */
  deleteExec(exec: { readonly containerId: string; readonly execId: string }, options?: CallOptions): Promise<Exit>;
  pause(containerId: string, options?: CallOptions): Promise<void>;
  resume(containerId: string, options?: CallOptions): Promise<void>;
  resize(
    process: {
      readonly containerId: string;
      readonly execId?: string;
      readonly width: number;
      readonly height: number;
    },
    options?: CallOptions,
  ): Promise<void>;
  closeStdin(process: { readonly containerId: string; readonly execId?: string }, options?: CallOptions): Promise<void>;
  /** Changes the limits of a running container. @param resourcesJson an OCI runtime spec's `linux.resources` as JSON */
  update(containerId: string, resourcesJson: string, options?: CallOptions): Promise<void>;
  /** The pids of a container, in the host's pid namespace. */
  pids(containerId: string, options?: CallOptions): Promise<readonly number[]>;
}

/** A shim that does not answer would let a call wait for ever. Sending a signal never takes this long. */
const KILL_LIMIT_MS = 15_000;
/** containerd gives a shim two seconds to report a state; a busy one is asked this often. */
const STATE_TRIES = 3;

export function openTasks(rpc: Rpc): Tasks {
  const m = Service.methods;
  const find = async (containerId: string, execId: string, options?: CallOptions): Promise<TaskRecord | undefined> => {
    try {
      for (let tries = 1; ; tries += 1) {
        const { process } = await rpc.call(Service, m.get, { containerId, execId }, options);
        const task = process && taskFromMessage(process, containerId);
        if (task?.status !== 'unknown' || tries === STATE_TRIES) return task;
      }
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return undefined;
      throw error;
    }
  };
  return {
    find: (containerId, options) => find(containerId, '', options),
    findExec: ({ containerId, execId }, options) => find(containerId, execId, options),
    list: async (options) => {
      const { tasks } = await rpc.call(Service, m.list, { filter: '' }, options);
      return tasks.map((task) => taskFromMessage(task));
    },
    create: async ({ rootfs, runcOptions, ...task }, options) => {
      const shimOptions = runcOptions && {
        typeUrl: RUNC_OPTIONS_TYPE_URL,
        value: Buffer.from(RuncOptions.encode(runcOptions).finish()),
      };
      const request = {
        ...task,
        rootfs: [...rootfs],
        runtimePath: '',
        ...(shimOptions ? { options: shimOptions } : {}),
      };
      return (await rpc.call(Service, m.create, request, options)).pid;
    },
    start: async ({ containerId, execId = '' }, options) =>
      (await rpc.call(Service, m.start, { containerId, execId }, options)).pid,
    exec: async ({ processJson, ...exec }, options) => {
      await rpc.call(Service, m.exec, { ...exec, spec: anyFromJson(PROCESS_TYPE_URL, processJson) }, options);
    },
    wait: async ({ containerId, execId = '' }, options) =>
      exitFromMessage(await rpc.call(Service, m.wait, { containerId, execId }, { timeoutMs: 0, ...options })),
    kill: async ({ containerId, execId = '', signal, all = false }, options) => {
      await rpc.call(Service, m.kill, { containerId, execId, signal, all }, { timeoutMs: KILL_LIMIT_MS, ...options });
    },
    delete: async (containerId, options) =>
      exitFromMessage(await rpc.call(Service, m.delete, { containerId }, options)),
    deleteExec: async ({ containerId, execId }, options) =>
      exitFromMessage(await rpc.call(Service, m.deleteProcess, { containerId, execId }, options)),
    pause: async (containerId, options) => {
      await rpc.call(Service, m.pause, { containerId }, options);
    },
    resume: async (containerId, options) => {
      await rpc.call(Service, m.resume, { containerId }, options);
    },
    resize: async ({ containerId, execId = '', width, height }, options) => {
      await rpc.call(Service, m.resizePty, { containerId, execId, width, height }, options);
    },
    closeStdin: async ({ containerId, execId = '' }, options) => {
      await rpc.call(Service, m.closeIO, { containerId, execId, stdin: true }, options);
    },
    update: async (containerId, resourcesJson, options) => {
      const resources = anyFromJson(RESOURCES_TYPE_URL, resourcesJson);
      await rpc.call(Service, m.update, { containerId, resources }, options);
    },
    pids: async (containerId, options) =>
      (await rpc.call(Service, m.listPids, { containerId }, options)).processes.map((process) => process.pid),
  };
}

const STATUSES: Readonly<Record<number, TaskStatus>> = {
  [Status.CREATED]: 'created',
  [Status.RUNNING]: 'running',
  [Status.STOPPED]: 'stopped',
  [Status.PAUSED]: 'paused',
  [Status.PAUSING]: 'pausing',
};

/** Tasks.Get leaves the container's id empty in containerd 1.6 and gives it as `id`. */
function taskFromMessage(process: Process, containerId = process.containerId || process.id): TaskRecord {
  return {
    containerId,
    pid: process.pid,
    status: STATUSES[process.status] ?? 'unknown',
    exitStatus: process.exitStatus,
    exitedAtMs: millisFromTimestamp(process.exitedAt),
    terminal: process.terminal,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
  };
}

function exitFromMessage(message: {
  exitStatus: number;
  exitedAt?: { seconds: number; nanos: number } | undefined;
}): Exit {
  return { status: message.exitStatus, atMs: millisFromTimestamp(message.exitedAt) ?? 0 };
}
