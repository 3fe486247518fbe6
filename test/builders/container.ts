import type { ContainerRecord } from '../../src/containerd/containers.ts';
import type { TaskRecord } from '../../src/containerd/tasks.ts';

/** A container record whose fields are empty, but for those given. */
export const aRecord = (over: Partial<ContainerRecord> = {}): ContainerRecord => ({
  id: 'c1',
  labels: {},
  image: 'docker.io/library/demo:1',
  runtime: 'io.containerd.runc.v2',
  runtimeBinary: undefined,
  snapshotter: 'overlayfs',
  snapshotKey: 'c1',
  createdAtMs: Date.parse('2026-01-01T00:00:00Z'),
  specJson: () => undefined,
  extensionJson: () => undefined,
  ...over,
  rawLabels: over.rawLabels ?? over.labels ?? {},
});

/** A container's task. Its process is the process of the test. */
export const aTask = (over: Partial<TaskRecord> = {}): TaskRecord => ({
  containerId: 'c1',
  pid: process.pid,
  status: 'running',
  exitStatus: 0,
  exitedAtMs: undefined,
  terminal: false,
  stdin: '',
  stdout: '',
  stderr: '',
  ...over,
});
