import { expect, test } from 'vitest';
import type { ContainerdEvent, EventFact } from '../containerd/events.ts';
import { type ContainerFacts, containerEventFrom, containerOf, imageEventFrom, objectEventFrom } from './host-event.ts';

const AT = 1_767_225_600_000;
const facts: ContainerFacts = {
  name: 'web',
  image: 'busybox:latest',
  labels: { tier: 'front', exitCode: 'a label', name: 'another label' },
  started: { pid: 7, atMs: AT - 2_900 },
};
const at = (fact: EventFact): ContainerdEvent => ({ ...fact, namespace: 'default', atMs: AT });
const own = (topic: string, value: unknown): EventFact => ({
  kind: 'own',
  topic: `/healthctl/${topic}`,
  json: JSON.stringify(value),
});
const API_ID = 'ab'.repeat(32);
const exited = { kind: 'task-exited', id: 'c1', pid: 7, exitStatus: 137, exitedAtMs: AT } as const;

test.each<[string, EventFact, Record<string, string>?]>([
  ['create', { kind: 'container-created', id: 'c1', image: 'x' }],
  ['start', { kind: 'task-started', id: 'c1', pid: 7 }],
  ['die', exited, { exitCode: '137', execDuration: '2' }],
  ['die', { ...exited, pid: 8 }, { exitCode: '137' }],
  ['pause', { kind: 'task-paused', id: 'c1' }],
  ['unpause', { kind: 'task-resumed', id: 'c1' }],
  ['oom', { kind: 'task-oom', id: 'c1' }],
  ['exec_create', { kind: 'exec-added', id: 'c1', execId: 'sh' }, { execID: 'sh' }],
  ['exec_start', { kind: 'exec-started', id: 'c1', execId: 'sh' }, { execID: 'sh' }],
  ['exec_die', { kind: 'exec-exited', id: 'c1', execId: 'sh', exitStatus: 3 }, { execID: 'sh', exitCode: '3' }],
  [
    'exec_die',
    { kind: 'exec-exited', id: 'c1', execId: `healthctl-${API_ID}`, exitStatus: 0 },
    { execID: API_ID, exitCode: '0' },
  ],
  ['exec_create: date', own('exec', { ID: 'c1', ExecID: API_ID, Action: 'exec_create: date' }), { execID: API_ID }],
  ['destroy', { kind: 'container-deleted', id: 'c1' }],
  ['kill', own('kill', { ID: 'c1', Signal: 15 }), { signal: '15' }],
  ['stop', own('stop', { ID: 'c1' })],
  ['restart', own('restart', { ID: 'c1' })],
  ['rename', own('rename', { ID: 'c1', OldName: 'api', Name: 'web' }), { oldName: '/api', name: 'web' }],
  ['top', own('action', { ID: 'c1', Action: 'top' })],
  ['resize', own('action', { ID: 'c1', Action: 'resize', Attributes: { height: '24' } }), { height: '24' }],
  ['health_status: unhealthy', own('health-status', { ID: 'c1', Status: 'unhealthy', FailingStreak: 3 })],
])('translates to Docker’s %s', (action, fact, attributes = {}) => {
  expect(containerEventFrom(at(fact), facts)).toEqual({
    type: 'container',
    action,
    id: 'c1',
    namespace: 'default',
    atMs: AT,
    attributes: { tier: 'front', exitCode: 'a label', image: 'busybox:latest', name: 'web', ...attributes },
  });
});

test.each<[string, EventFact]>([
  ['task-created', { kind: 'task-created', id: 'c1' }],
  ['task-deleted', { kind: 'task-deleted', id: 'c1' }],
  ['container-updated', { kind: 'container-updated', id: 'c1', labels: {} }],
  ['a status starting', own('health-status', { ID: 'c1', Status: 'starting', FailingStreak: 0 })],
  ["an exec of Docker's API, which tells itself", { kind: 'exec-added', id: 'c1', execId: `healthctl-${API_ID}` }],
  ['its start', { kind: 'exec-started', id: 'c1', execId: `healthctl-${API_ID}` }],
  ['an unknown event of ours', own('else', { ID: 'c1' })],
])('gives no Docker event for %s', (_what, fact) => {
  expect(containerEventFrom(at(fact), facts)).toBeUndefined();
});

test('a container without an image has no image attribute', () => {
  const attributes = containerEventFrom(at({ kind: 'task-oom', id: 'c1' }), { name: 'c1', image: '', labels: {} });
  expect(attributes).toMatchObject({ attributes: { name: 'c1' } });
  expect(attributes?.attributes).not.toHaveProperty('image');
});

test.each([
  ['image-created', 'tag'],
  ['image-updated', 'tag'],
  ['image-deleted', 'untag'],
] as const)('%s is shown as %s', (kind, action) => {
  expect(imageEventFrom(at({ kind, name: 'docker.io/library/busybox:latest' }), 'busybox:latest')).toEqual({
    type: 'image',
    action,
    id: 'busybox:latest',
    namespace: 'default',
    atMs: AT,
    attributes: { name: 'busybox:latest' },
  });
});

test('an image that loses its name has no event of its own for the name by which it stays', () => {
  const name = `<none>@sha256:${'0'.repeat(64)}`;
  expect(imageEventFrom(at({ kind: 'image-created', name }), name)).toBeUndefined();
});

test.each(['image', 'network', 'volume'] as const)('an event of ours about a %s keeps its words', (type) => {
  const event = at(own('object', { ID: 'x', Type: type, Action: 'create', Attributes: { driver: 'local' } }));
  const attributes = { driver: 'local' };
  expect(objectEventFrom(event)).toEqual({
    type,
    action: 'create',
    id: 'x',
    namespace: 'default',
    atMs: AT,
    attributes,
  });
  expect(containerOf(event)).toBeUndefined();
});
