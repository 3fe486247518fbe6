import { describe, expect, test } from 'vitest';
import { aRecord, aTask } from '../../test/builders/container.ts';
import { aResult, aState, T0 } from '../../test/builders/health.ts';
import type { ContainerdEvent, EventFact } from '../containerd/events.ts';
import type { TaskRecord } from '../containerd/tasks.ts';
import { MAX_TEXT_BYTES } from '../history/model.ts';
import { keyOf } from '../lib/container-key.ts';
import { createHostModel } from './host-model.ts';

const AT = { namespace: 'default', id: 'c1' };
const KEY = keyOf(AT);
const CHECK = { 'nerdctl/healthcheck': '{"Test":["CMD","true"],"Interval":2000000000}' };
const SPEC = JSON.stringify({ ociVersion: '1.0.2', process: { args: ['sleep'], cwd: '/', user: { uid: 0, gid: 0 } } });
/** Two processes that exist. */
const [FIRST, SECOND] = [process.pid, process.ppid];

const aHost = () => createHostModel(() => ({ nowMs: T0, bootId: 'boot', bootMs: 50_000 }));
const eventAt = (event: EventFact, atMs = T0): ContainerdEvent => ({ namespace: 'default', atMs, ...event });
const exit = (pid: number, exitStatus = 0) =>
  eventAt({ kind: 'task-exited', id: 'c1', pid, exitStatus, exitedAtMs: T0 + 500 });

/** A host with the container `c1`. */
function hostWith(task?: Partial<TaskRecord>, labels: Readonly<Record<string, string>> = CHECK) {
  const model = aHost();
  const record = aRecord({ labels, specJson: () => SPEC });
  model.put(AT, { record, task: task && aTask(task) });
  return { model, record, now: () => model.get(KEY) };
}

describe('after a list', () => {
  test('a running container has its check and its process', () => {
    const { model, now } = hostWith({});
    expect(now()).toMatchObject({
      ...AT,
      config: { test: ['CMD', 'true'], intervalNs: 2e9, retries: 3 },
      damage: undefined,
      task: { pid: FIRST, status: 'running' },
      run: { id: expect.stringMatching(new RegExp(`^boot:${FIRST}:\\d+$`)) },
      isStartSeen: false,
      isOutOfMemory: false,
      stored: { log: [], state: undefined },
    });
    expect(JSON.parse(now()?.processJson ?? '')).toMatchObject({ args: ['sleep'] });
    expect([model.size, [...model.all()].length]).toEqual([1, 1]);
  });

  test.each([
    ['a container without a check', {}, undefined],
    ['a check that is switched off', { 'nerdctl/healthcheck': '{"Test":["NONE"]}' }, undefined],
    ['a damaged label', { 'nerdctl/healthcheck': '{"Test":' }, expect.any(String)],
  ])('has no check and keeps no process: %s', (_, labels: Record<string, string>, damage) => {
    expect(hostWith({}, labels).now()).toMatchObject({ config: undefined, processJson: undefined, damage });
  });

  test('a damaged runtime spec does not stop the list', () => {
    const model = aHost();
    const specJson = () => '{';
    const put = () => model.put(AT, { record: aRecord({ labels: CHECK, specJson }), task: aTask() });
    expect(put).not.toThrow();
    expect(model.get(KEY)).toMatchObject({ processJson: undefined, run: {} });
  });

  test.each([
    ['without a task', undefined, false],
    ['created', { status: 'created' }, false],
    ['stopped', { status: 'stopped' }, false],
    ['paused', { status: 'paused' }, true],
    ['with a process that has ended since', { pid: 2 ** 30 }, false],
  ] as const)('knows whether the container runs: %s', (_, task, isUp) => {
    expect(hostWith(task).now()?.run !== undefined).toBe(isUp);
  });

  test('a second list keeps the run with its start, its observations and its health', () => {
    const { model, record, now } = hostWith();
    model.apply(eventAt({ kind: 'task-started', id: 'c1', pid: FIRST }, T0 + 7));
    model.apply(eventAt({ kind: 'task-oom', id: 'c1' }));
    model.remember(KEY, { log: [aResult()], state: aState() });
    const before = now();
    expect(before?.run?.startedAtMs).toBe(T0 + 7);
    model.put(AT, { record, task: aTask() });
    expect(now()).toEqual(before);
    model.put(AT, { record, task: aTask({ pid: SECOND }) });
    expect(now()).toMatchObject({ isStartSeen: false, isOutOfMemory: false, stored: { state: aState() } });
    expect(now()?.run?.id).not.toBe(before?.run?.id);
  });

  test('a container that is not listed is forgotten, with its version', () => {
    const { model, now } = hostWith({});
    model.apply(eventAt({ kind: 'task-oom', id: 'c1' }));
    expect(model.versionOf(KEY)).toBe(1);
    expect(model.put(AT, undefined)).toBeUndefined();
    expect([now(), model.size, model.versionOf(KEY)]).toEqual([undefined, 0, 0]);
  });
});

describe('after an event', () => {
  test('changed labels change the check and nothing else', () => {
    const { model, now } = hostWith({});
    const labels = {
      'nerdctl/healthcheck': '{"Test":["CMD","false"]}',
      'healthctl/test-since': '2026-01-01T00:00:05.000000000Z',
    };
    // A control label is trusted only if it is also in the record.
    expect(model.apply(eventAt({ kind: 'container-updated', id: 'c1', labels }))).toMatchObject({ kind: 'unknown' });
    expect(now()?.config?.test).not.toEqual(['CMD', 'false']);
    expect(now()?.run?.testSinceMs).toBeUndefined();
    model.put(AT, { record: aRecord({ labels }), task: aTask() });
    expect(now()).toMatchObject({ config: { test: ['CMD', 'false'] }, task: {} });
    expect(now()?.run?.testSinceMs).toBe(Date.parse('2026-01-01T00:00:05Z'));
    expect(model.apply(eventAt({ kind: 'container-updated', id: 'c1', labels }))).toMatchObject({ kind: 'changed' });
    const { 'nerdctl/healthcheck': _check, ...rest } = labels;
    model.apply(eventAt({ kind: 'container-updated', id: 'c1', labels: rest }));
    expect(now()).toMatchObject({ record: { labels: rest }, config: undefined, run: {} });
  });

  test("labels that add a check make the container's process known", () => {
    const { model, now } = hostWith({}, {});
    const record = aRecord({ labels: CHECK, specJson: () => SPEC });
    const relabel = () => model.apply(eventAt({ kind: 'container-updated', id: 'c1', labels: CHECK }));
    // The event has no runtime spec.
    expect(relabel()).toEqual({ kind: 'unknown', ...AT });
    model.put(AT, { record, task: aTask() });
    expect(now()).toMatchObject({ processJson: expect.stringContaining('sleep') });
    expect(relabel()).toMatchObject({ kind: 'changed' });
  });

  test('the time of a start event is the start of the run', () => {
    const { model, now } = hostWith();
    const effect = model.apply(eventAt({ kind: 'task-started', id: 'c1', pid: FIRST }, T0 + 7));
    expect(effect).toEqual({ kind: 'changed', container: now() });
    expect(now()).toMatchObject({
      task: { containerId: 'c1', pid: FIRST, status: 'running' },
      run: { startedAtMs: T0 + 7 },
      isStartSeen: true,
    });
  });

  test('a start event of a run that has ended makes no run, and its exit is reported', () => {
    const { model, now } = hostWith();
    const pid = 2 ** 30;
    model.apply(eventAt({ kind: 'task-started', id: 'c1', pid }));
    expect(now()).toMatchObject({ run: undefined, task: { pid, status: 'running' } });
    expect(model.apply(exit(pid, 3))).toMatchObject({ kind: 'exited', exitStatus: 3, exitedAtMs: T0 + 500 });
    expect(now()).toMatchObject({ run: undefined, task: { pid, status: 'stopped', exitStatus: 3 } });
  });

  test('an exit ends the run; an out-of-memory event belongs to this run and not to the next', () => {
    const { model, now } = hostWith({});
    expect(model.apply(eventAt({ kind: 'task-oom', id: 'c1' }))).toMatchObject({ kind: 'changed' });
    expect(model.apply(exit(FIRST, 137))).toMatchObject({ kind: 'exited', container: { isOutOfMemory: true } });
    expect(now()).toMatchObject({ run: undefined, task: { status: 'stopped', exitStatus: 137, exitedAtMs: T0 + 500 } });
    model.apply(eventAt({ kind: 'task-started', id: 'c1', pid: SECOND }));
    expect(now()).toMatchObject({ isOutOfMemory: false, run: {}, task: { pid: SECOND } });
  });

  test('an exit of an earlier process changes nothing', () => {
    const { model, now } = hostWith({ pid: SECOND });
    const before = now();
    expect(model.apply(exit(FIRST))).toEqual({ kind: 'none' });
    expect(now()).toBe(before);
  });

  test('knows whether the container is paused', () => {
    const { model, now } = hostWith({});
    const run = now()?.run;
    model.apply(eventAt({ kind: 'task-paused', id: 'c1' }));
    expect(now()).toMatchObject({ task: { status: 'paused' }, run });
    model.apply(eventAt({ kind: 'task-resumed', id: 'c1' }));
    expect(now()).toMatchObject({ task: { status: 'running' }, run });
  });

  test('requests the record if the known facts are not enough', () => {
    const unknown = { kind: 'unknown', ...AT };
    expect(hostWith().model.apply(eventAt({ kind: 'task-paused', id: 'c1' }))).toEqual(unknown);
    expect(hostWith({}).model.apply(eventAt({ kind: 'task-deleted', id: 'c1' }))).toEqual(unknown);
    for (const kind of ['container-created', 'task-paused', 'task-oom'] as const)
      expect(aHost().apply(eventAt({ kind, id: 'c1', image: '' }))).toEqual(unknown);
    expect(aHost().apply(exit(FIRST))).toEqual(unknown);
  });

  test('remembers the end of a container whose task is removed', () => {
    const { model, record, now } = hostWith({});
    model.apply(exit(FIRST, 3));
    expect(model.apply(eventAt({ kind: 'task-deleted', id: 'c1' }))).toMatchObject({ kind: 'changed' });
    expect(now()?.task).toMatchObject({ status: 'stopped', exitStatus: 3 });
    model.put(AT, { record, task: undefined });
    expect(now()?.task).toMatchObject({ status: 'stopped', exitStatus: 3 });
  });

  test('a task that disappears without an event counts as ended with 255', () => {
    const { model, record, now } = hostWith({});
    model.put(AT, { record, task: undefined });
    expect(now()).toMatchObject({ run: undefined, task: { status: 'stopped', exitStatus: 255 } });
  });

  test('a task that was never started leaves nothing when it is removed', () => {
    const { model, now } = hostWith({ status: 'created' });
    model.apply(eventAt({ kind: 'task-deleted', id: 'c1' }));
    expect(now()?.task).toBeUndefined();
  });

  test('a task that is killed before its start does not count as a run', () => {
    const deleted = eventAt({ kind: 'task-deleted', id: 'c1' });
    for (const task of [undefined, { status: 'created' }] as const) {
      const { model, now } = hostWith(task);
      expect(model.apply(exit(FIRST, 137))).toMatchObject({ kind: 'exited', exitStatus: 137 });
      model.apply(deleted);
      expect(now()?.task).toBeUndefined();
    }
    const { model, now } = hostWith({});
    for (const event of [exit(FIRST, 3), deleted, exit(SECOND, 137), deleted]) model.apply(event);
    expect(now()?.task).toMatchObject({ pid: FIRST, exitStatus: 3 });
  });

  test('the removal of a container is reported once', () => {
    const { model, now } = hostWith({});
    const container = now();
    const event = eventAt({ kind: 'container-deleted', id: 'c1' });
    expect(model.apply(event)).toEqual({ kind: 'deleted', container });
    expect([now(), model.versionOf(KEY)]).toEqual([undefined, 0]);
    expect(model.apply(event)).toEqual({ kind: 'none' });
    expect(model.versionOf(KEY)).toBe(0);
  });

  test('ignores events of execs, images and ourselves, which make no answer outdated', () => {
    const { model, now } = hostWith({});
    const before = now();
    const others: readonly EventFact[] = [
      { kind: 'exec-started', id: 'c1', execId: 'x' },
      { kind: 'task-created', id: 'c1' },
      { kind: 'image-created', name: 'demo:1' },
      { kind: 'own', topic: '/healthctl/kill', json: '{}' },
    ];
    for (const event of others) expect(model.apply(eventAt(event))).toEqual({ kind: 'none' });
    expect([now(), model.versionOf(KEY)]).toEqual([before, 0]);
  });

  test('containers of the same id in two namespaces are distinct', () => {
    const { model, now } = hostWith({});
    expect(model.apply({ ...exit(FIRST), namespace: 'k8s.io' })).toEqual({
      kind: 'unknown',
      namespace: 'k8s.io',
      id: 'c1',
    });
    expect(now()?.run).toBeDefined();
  });
});

test('keeps only the last result of the log, and its output only where it says why it failed', () => {
  const { model, now } = hostWith({});
  model.remember(KEY, { log: [aResult(1), aResult(2, 0, 'fine')], state: aState() });
  expect(now()?.stored).toEqual({ log: [aResult(2, 0, '')], state: aState() });
  model.remember(KEY, { log: [aResult(3, 1, `refused ${'x'.repeat(4096)}`)], state: aState() });
  expect(now()?.stored.log).toEqual([aResult(3, 1, `refused ${'x'.repeat(MAX_TEXT_BYTES - 8)}`)]);
  model.remember('default/other', { log: [], state: undefined });
  expect(model.size).toBe(1);
});
