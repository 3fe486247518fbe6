import { expect, test } from 'vitest';
import { aTask } from '../../test/builders/container.ts';
import { T0 } from '../../test/builders/health.ts';
import { ownRecord } from '../../test/builders/listed.ts';
import type { HostEvent } from '../events/host-event.ts';
import type { KnownContainer } from '../monitor/host-model.ts';
import { compactRecordOf } from '../record/compact-record.ts';
import { missedEvents, onceKeyOf } from './missed-events.ts';

const aKnown = (over: Partial<KnownContainer> = {}): KnownContainer => ({
  ...{ namespace: 'default', id: 'c1', config: undefined, damage: undefined, processJson: undefined },
  record: compactRecordOf(ownRecord({ id: 'c1', createdAtMs: T0 })),
  task: aTask({ pid: 100 }),
  run: { id: 'boot:100:5000', startedAtMs: T0 + 200 },
  ...{ isStartSeen: false, isOutOfMemory: false, stored: { log: [], state: undefined } },
  ...over,
});
const missed = (containers: readonly KnownContainer[], past: Partial<Parameters<typeof missedEvents>[1]> = {}) =>
  missedEvents(containers, { events: [], knownUntilMs: 0, ...past }).map(
    ({ hostEvent: { action, atMs, attributes } }) =>
      `${action} ${atMs - T0} ${attributes.name} ${attributes.exitCode ?? ''}`,
  );
const known = (action: string, atMs: number, over: Partial<HostEvent> = {}): HostEvent => ({
  ...{ type: 'container', action, id: 'c1', namespace: 'default', atMs: T0 + atMs, attributes: {} },
  ...over,
});

test('the first container was created and started before there was a monitor', () => {
  expect(missed([aKnown()])).toEqual(['create 0 web ', 'start 200 web ']);
});

test('the recorded start is used, if it belongs to this run', () => {
  const noted = (run: string) => {
    const record = ownRecord({ id: 'c1', labels: { 'nerdctl/name': 'web', 'healthctl/started': startNote(run) } });
    return missed([aKnown({ record: compactRecordOf(record) })]).at(-1);
  };
  expect(noted('boot:100:5000')).toBe('start 350 web ');
  expect(noted('boot:99:4000')).toBe('start 200 web ');
});
const startNote = (run: string) => JSON.stringify({ At: new Date(T0 + 350).toISOString(), Run: run });

test('a run that ended meanwhile gives its end', () => {
  const task = aTask({ pid: 100, status: 'stopped', exitStatus: 3, exitedAtMs: T0 + 900 });
  expect(missed([aKnown({ task, run: undefined })])).toEqual(['create 0 web ', 'die 900 web 3']);
});

test('omits events that the log has, and those before the end of the log', () => {
  expect(missed([aKnown()], { knownUntilMs: T0 + 100 })).toEqual(['start 200 web ']);
  expect(missed([aKnown()], { knownUntilMs: T0 + 300 })).toEqual([]);
  expect(missed([aKnown()], { events: [known('create', 1), known('start', 260)] })).toEqual([]);
  // The event of a start comes after the start of the process.
  expect(missed([aKnown()], { events: [known('start', 5_000)] })).toEqual(['create 0 web ']);
  // Events of another container, and of an earlier run.
  const others = [known('create', 1, { namespace: 'other' }), known('start', -60_000)];
  expect(missed([aKnown()], { events: others })).toEqual(['create 0 web ', 'start 200 web ']);
});

test('the events of several containers come in the order of their times', () => {
  const db = aKnown({
    id: 'c2',
    record: compactRecordOf(ownRecord({ id: 'c2', createdAtMs: T0 + 50 })),
    run: undefined,
    task: undefined,
  });
  expect(missed([aKnown(), db])).toEqual(['create 0 web ', 'create 50 web ', 'start 200 web ']);
});

test('an event that is still under way has a key of its own, unless its kind can repeat', () => {
  const event = { id: 'c1', namespace: 'default', atMs: 1 } as const;
  expect(onceKeyOf({ ...event, kind: 'task-started', pid: 100 })).not.toBe(
    onceKeyOf({ ...event, kind: 'task-started', pid: 101 }),
  );
  expect(onceKeyOf({ ...event, kind: 'task-paused' })).toBeUndefined();
});
