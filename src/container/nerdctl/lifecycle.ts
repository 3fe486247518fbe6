import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { StateDirs } from '../../lib/dirs.ts';
import { LABELS } from '../../lib/labels.ts';
import { as, isDate, objectIn } from '../../lib/shape.ts';
import { readJson } from '../../record/nerdctl-network.ts';
import { type ContainerView, startNoteOf } from '../../record/view.ts';
import { isNerdctls } from '../../store/state-dir.ts';

/**
 * Written by nerdctl's hook when a task is created, after its network (pkg/ocihook/state).
 * `{"started_at":"2026-01-01T00:00:00.123Z","create_error":false}`
 */
const LIFECYCLE_FILE = 'lifecycle.json';
/**
 * How much later than the hook the start of the main process may appear: it is known only to a tick of the boot clock.
 */
const TOLERANCE_MS = 1_000;

/** Facts that inspect shows for a container of nerdctl's. */
export interface NerdctlFacts {
  /** Start of the present or last run, wall time. */
  readonly startedAtMs: number | undefined;
  /** The output file of the driver json-file. Empty if there is none. */
  readonly logPath: string;
}

/** Undefined for a container that nerdctl did not make. */
export function nerdctlFactsOf(
  dirs: StateDirs,
  view: ContainerView,
  moment: { readonly namespace: string; readonly nowMs: number },
): NerdctlFacts | undefined {
  const { id, labels } = view.record;
  const stateDir = labels[LABELS.stateDir];
  if (stateDir === undefined || !isNerdctls(dirs, { namespace: moment.namespace, id, labels })) return undefined;
  const logPath = join(stateDir, `${id}-json.log`);
  const hookMs = startedAtOf(join(stateDir, LIFECYCLE_FILE));
  return { startedAtMs: startOf(view, hookMs, moment.nowMs), logPath: existsSync(logPath) ? logPath : '' };
}

/** The hook's time, unless it belongs to another run, or healthctl has recorded the start of this one. */
function startOf({ record, started, startedAtMs, task }: ContainerView, hookMs: number | undefined, nowMs: number) {
  if (!started.ever || hookMs === undefined || hookMs > nowMs) return startedAtMs;
  const note = startNoteOf(record.labels);
  const isUp = task !== undefined && task.status !== 'stopped';
  if (!isUp) return Math.max(hookMs, note?.atMs ?? 0);
  const isNoted = note?.run !== undefined && note.run === started.lastRun;
  return isNoted || hookMs < (startedAtMs ?? 0) - TOLERANCE_MS ? startedAtMs : hookMs;
}

function startedAtOf(path: string): number | undefined {
  const text = as(isDate, objectIn(readJson(path)).started_at);
  return text === undefined ? undefined : Date.parse(text);
}
