import type { Beat, TopRow } from '../../src/cli/top/model.ts';
import { initialState, type ScreenState } from '../../src/cli/top/state.ts';
import { T0 } from './health.ts';

export { T0 } from './health.ts';

/** A healthy container of the live screen, whose id is its name. */
export const aTopRow = (over: Partial<TopRow> = {}): TopRow => {
  const { name = 'web' } = over;
  return {
    ...{
      key: `default/${name}`,
      namespace: 'default',
      id: name,
      name,
      image: 'demo:1',
      state: 'running',
      word: 'healthy',
    },
    ...{ exitCode: undefined, sinceMs: T0 - 60_000, streak: 0, hasCheck: true, nextCheckMs: T0 + 5_000 },
    ...{ nextRestartMs: undefined, pid: 4711, last: { endMs: T0 - 25_000, durationMs: 43, exitCode: 0 } },
    ...over,
  };
};

/** Results, the newest last: `.` passed, `x` failed, `s` failed while it was starting. */
export const beatsOf = (text: string): readonly Beat[] =>
  [...text].map((mark, at) => ({ atMs: T0 + at, isGood: mark === '.', isGrace: mark === 's' }));

export const topState = (rows: readonly TopRow[], over: Partial<ScreenState> = {}): ScreenState => {
  const checkers = { text: 'monitor 1', isBad: false };
  const look = { rows, beats: new Map(), checkers };
  const state = initialState({ look, nowMs: T0, namespace: 'default', sort: 'status' });
  const [first] = rows;
  return { ...state, ...(first ? { selected: first.key } : {}), ...over };
};
