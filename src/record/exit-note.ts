import { join } from 'node:path';
import { rfc3339FromMillis } from '../health/result.ts';
import { dataDirOf, type NamespaceDirs } from '../lib/dirs.ts';
import { LABELS } from '../lib/labels.ts';
import { isDate, isNumber, isText, objectIn, objectOf } from '../lib/shape.ts';
import { lastResultAtMs } from '../store/file-health-store.ts';
import { replaceFile } from '../system/atomic-write.ts';
import { makeOwnDirectory, readOwnJson } from '../system/own-file.ts';
import { type ContainerView, viewFrom } from './view.ts';

/**
 * How a run of a container ended, as the monitor observed it: stored on disk, because containerd deletes it with the
 * task, and so at a reboot.
 */
export interface ExitNote {
  /** Id of the run. */
  readonly run: string;
  readonly code: number;
  readonly atMs: number;
  readonly isOutOfMemory: boolean;
}

const FILE = 'exit.json';

/** Throws EXHAUSTED without space, system errors otherwise. */
export function writeExitNote({ dirs, namespace }: NamespaceDirs, id: string, note: ExitNote): void {
  const dir = dataDirOf(dirs, { namespace, id });
  makeOwnDirectory(dir, dirs);
  const { run, code, atMs, isOutOfMemory } = note;
  const json = { Run: run, ExitCode: code, FinishedAt: rfc3339FromMillis(atMs), OOMKilled: isOutOfMemory };
  replaceFile(join(dir, FILE), `${JSON.stringify(json)}\n`);
}

/**
 * Stores how the last run of a container of ours ended, if no monitor has yet: before its task is deleted, since
 * containerd knows no more then. Throws like `writeExitNote`.
 */
export function keepExit(namespaceDirs: NamespaceDirs, { record: { id, labels }, started, exit }: ContainerView): void {
  if (labels[LABELS.owner] === undefined || !started.ever || started.lastRun === undefined) return;
  if (exit?.atMs === undefined || lastExitNote(namespaceDirs, id)?.run === started.lastRun) return;
  const { code, atMs } = exit;
  writeExitNote(namespaceDirs, id, { run: started.lastRun, code, atMs, isOutOfMemory: false });
}

/** The last note about a container; undefined if there is none, or it is damaged. */
export function lastExitNote({ dirs, namespace }: NamespaceDirs, id: string): ExitNote | undefined {
  return readOwnJson(join(dataDirOf(dirs, { namespace, id }), FILE), exitNoteFrom, dirs);
}

/**
 * Adds the monitor's note to a container that has ended; any other is returned unchanged. A container that another tool
 * made and started has no record of its start once its shim and task are gone; a result of a check then proves that it
 * ran.
 */
export function withExitNote(namespaceDirs: NamespaceDirs, seen: ContainerView): ContainerView {
  const view = hasLeftResult(namespaceDirs, seen) ? viewFrom({ ...seen, run: undefined, hasRun: true }) : seen;
  const { record, exit, started } = view;
  if (!exit || !started.ever || record.labels[LABELS.owner] === undefined) return view;
  const note = lastExitNote(namespaceDirs, record.id);
  if (!note || note.run !== started.lastRun) return view;
  const isKnown = exit.atMs !== undefined;
  return {
    ...view,
    isOutOfMemory: note.isOutOfMemory,
    exit: isKnown ? exit : { code: note.code, atMs: note.atMs },
  };
}

function hasLeftResult({ dirs, namespace }: NamespaceDirs, { record, task, state }: ContainerView): boolean {
  if (state !== 'created' || task || record.labels[LABELS.owner] !== undefined) return false;
  const { id, labels, createdAtMs } = record;
  const writtenAtMs = lastResultAtMs(dirs, { namespace, id, labels });
  // otherwise it belongs to an earlier container with this id
  return writtenAtMs !== undefined && writtenAtMs >= createdAtMs;
}

const isExitNote = objectOf({ Run: isText, ExitCode: isNumber, FinishedAt: isDate });

function exitNoteFrom(value: unknown): ExitNote | undefined {
  if (!isExitNote(value)) return undefined;
  const { Run: run, ExitCode: code, FinishedAt: at } = value;
  return { run, code, atMs: Date.parse(at), isOutOfMemory: objectIn(value).OOMKilled === true };
}
