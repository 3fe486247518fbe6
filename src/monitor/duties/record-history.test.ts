import { expect, test } from 'vitest';
import { aRecord, aTask } from '../../../test/builders/container.ts';
import { aConfig, aResult, aRun, aState, T0 } from '../../../test/builders/health.ts';
import { type HistoryRecorder, NO_HISTORY } from '../../history/recorder.ts';
import { compactRecordOf } from '../../record/compact-record.ts';
import type { KnownContainer } from '../host-model.ts';
import { createHistoryNotes, phaseOf } from './record-history.ts';

const RUN = aRun();
const aKnown = (over: Partial<KnownContainer> = {}): KnownContainer => ({
  ...{ namespace: 'default', id: 'c1', config: aConfig(), damage: undefined, processJson: undefined },
  record: compactRecordOf(aRecord({ id: 'c1', labels: { 'nerdctl/name': 'web' } })),
  ...{ task: aTask(), run: RUN, isStartSeen: true, isOutOfMemory: false },
  stored: { log: [aResult(0, 0)], state: aState({ status: 'healthy', run: RUN.id }) },
  ...over,
});

function setUp() {
  const recorded: string[] = [];
  const recorder: HistoryRecorder = {
    ...NO_HISTORY,
    observe: ({ key, phase, exitCode, reason }) =>
      void recorded.push([key, phase, exitCode, reason].filter((word) => word !== undefined && word !== '').join(' ')),
    markOthers: (keys) => void recorded.push(`others than ${[...keys].join()}`),
  };
  return { notes: createHistoryNotes(recorder, []), recorded };
}

test('a container is not starting because its stored health is not read yet', () => {
  const { notes, recorded } = setUp();
  notes.onLive([aKnown({ stored: { log: [], state: undefined } })]);
  notes.onChange(aKnown());
  expect(recorded).toEqual(['others than default/c1', 'default/c1 healthy']);
});

test('a container that a new monitor finds unhealthy has the reason of its last result', () => {
  const { notes, recorded } = setUp();
  const state = aState({ status: 'unhealthy', failingStreak: 3, run: RUN.id });
  notes.onChange(aKnown({ stored: { log: [aResult(0, 1, 'refused')], state } }));
  expect(recorded).toEqual(['default/c1 unhealthy 1 refused']);
});

test('a check that replaced another starts at the update', () => {
  const stored = { log: [], state: undefined };
  expect(phaseOf(aKnown({ stored }))).toMatchObject({ phase: 'starting', atMs: RUN.startedAtMs });
  const run = { ...RUN, testSinceMs: T0 + 60_000 };
  expect(phaseOf(aKnown({ run, stored }))).toMatchObject({ phase: 'starting', atMs: T0 + 60_000 });
});
