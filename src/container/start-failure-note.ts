import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { rfc3339FromMillis } from '../health/result.ts';
import { dataDirOf, type NamespaceDirs } from '../lib/dirs.ts';
import { HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { isDate, isNumber, isText, objectOf, optional } from '../lib/shape.ts';
import { withExitNote } from '../record/exit-note.ts';
import type { ContainerView } from '../record/view.ts';
import { replaceFile } from '../system/atomic-write.ts';
import { readOwnJson } from '../system/own-file.ts';
import type { ContainerContext } from './context.ts';

/**
 * Why the last start of a container failed: Docker's `State.Error` and `State.ExitCode`. Stored on disk, in
 * `start-failure.json`.
 */
interface StartFailure {
  readonly error: string;
  readonly code: number;
}

interface StartFailureNote extends StartFailure {
  /** The run before the failed start; undefined if there was none. */
  readonly lastRun: string | undefined;
  readonly atMs: number;
  /** When that run ended; undefined if unknown. */
  readonly lastExitAtMs: number | undefined;
}

const FILE = 'start-failure.json';
/**
 * Docker's exit code for a start that failed for another reason than the program (moby: daemon/start.go, exitUnknown).
 */
const OTHER_FAILURE = 128;
/** Longest text of a runtime error. */
const MAX_ERROR_LENGTH = 16_384;

/**
 * Records why a container of ours could not be started. If the record cannot be written, that is a warning: the start's
 * own error counts.
 */
export function noteStartFailure(
  ctx: Pick<ContainerContext, 'clock' | 'containerd' | 'dirs' | 'log'>,
  { record: { id, labels }, started, exit }: Pick<ContainerView, 'record' | 'started' | 'exit'>,
  error: unknown,
): void {
  // Cancelled, or containerd is away: the container itself has not failed.
  if (labels[LABELS.owner] === undefined || hasCode(error, 'ABORTED', 'UNAVAILABLE')) return;
  const dir = dataDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id });
  if (!existsSync(dir)) return; // it was removed meanwhile
  const json = {
    Error: messageOf(error).slice(0, MAX_ERROR_LENGTH),
    ExitCode: exitCodeOf(error),
    LastRun: started.ever ? (started.lastRun ?? '') : '',
    At: rfc3339FromMillis(ctx.clock.now()),
    ...(exit?.atMs === undefined ? {} : { LastExit: rfc3339FromMillis(exit.atMs) }),
  };
  try {
    replaceFile(join(dir, FILE), `${JSON.stringify(json)}\n`);
  } catch (failure) {
    ctx.log.warn(`the failed start of ${id.slice(0, 12)} could not be recorded: ${messageOf(failure)}`);
  }
}

/** 126 and 127 belong to the program; 125 is the command's code, not the container's. */
function exitCodeOf(error: unknown): number {
  const code = error instanceof HealthctlError ? error.exitCode : undefined;
  return code === 126 || code === 127 ? code : OTHER_FAILURE;
}

/** Adds the records of a container's end, or of its last failed start. */
export function withEndNotes(namespaceDirs: NamespaceDirs, view: ContainerView): ContainerView {
  return withStartFailure(namespaceDirs, withExitNote(namespaceDirs, view));
}

/**
 * Adds to a stopped container why its last start failed; any other is returned unchanged. A failure before the last run
 * is outdated.
 */
function withStartFailure(namespaceDirs: NamespaceDirs, view: ContainerView): ContainerView {
  const { record, state, started, exit } = view;
  if (record.labels[LABELS.owner] === undefined || (state !== 'created' && state !== 'exited')) return view;
  const path = join(dataDirOf(namespaceDirs.dirs, { namespace: namespaceDirs.namespace, id: record.id }), FILE);
  const note = readOwnJson(path, noteFrom, namespaceDirs.dirs);
  if (!note || note.lastRun !== (started.ever ? started.lastRun : undefined)) return view;
  if (isLater(exit?.atMs, note)) return view; // another tool has started it since
  const { error, code } = note;
  return { ...view, startFailure: { error, code }, ...(exit ? { exit: { ...exit, code } } : {}) };
}

/**
 * Whether an end came after the failure. The clock may have been set back between: then the end before the failure has
 * the later time.
 */
function isLater(exitAtMs: number | undefined, { atMs, lastExitAtMs }: StartFailureNote): boolean {
  if (exitAtMs === undefined || exitAtMs <= atMs) return false;
  // Notes of ends are written in whole milliseconds.
  return lastExitAtMs === undefined || Math.abs(exitAtMs - lastExitAtMs) >= 1;
}

const isNote = objectOf({ Error: isText, ExitCode: isNumber, LastRun: isText, At: isDate, LastExit: optional(isDate) });

function noteFrom(value: unknown): StartFailureNote | undefined {
  if (!isNote(value)) return undefined;
  const { Error: error, ExitCode: code, LastRun: run, At: at, LastExit: lastExit } = value;
  const lastExitAtMs = lastExit === undefined ? undefined : Date.parse(lastExit);
  return { error, code, lastRun: run === '' ? undefined : run, atMs: Date.parse(at), lastExitAtMs };
}
