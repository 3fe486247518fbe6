import { HealthctlError } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { type ContainerContext, dataDirOf } from './context.ts';
import { copyRange, followFile, type Write } from './follow.ts';
import { type GrowingFile, openGrowingFile } from './growing-file.ts';
import { type OutputStream, outputFilesOf } from './output-files.ts';
import { shimOf, untilCopied } from './shim-copy.ts';
import { findTail, type Place, type StoredPart } from './tail.ts';
import { type UserConsole, writerTo } from './user-console.ts';
import type { ContainerView } from './view.ts';

export interface LogsRequest {
  /** How many lines of each stream, from its end. Nothing tells which line of stdout came before which of stderr, so each is counted for itself. */
  readonly tail: number | 'all';
  readonly follow: boolean;
}

/**
 * Writes what a container has printed to the user's stdout and stderr: first all of stdout as it is now, then all of stderr; with `follow`
 * also what comes, until the container stops. Memory is bounded, whatever the container prints.
 *
 * @throws CONFLICT for a container whose output healthctl does not keep; ABORTED when the console's signal fired
 */
export async function showLogs(
  ctx: Pick<ContainerContext, 'containerd' | 'clock' | 'dirs'>,
  { streams, signal }: Pick<UserConsole, 'streams' | 'signal'>,
  view: ContainerView,
  request: LogsRequest,
): Promise<void> {
  refuseForeign(view);
  const dataDir = dataDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id: view.record.id });
  const opened: StoredStream[] = [];
  try {
    for (const name of ['stdout', 'stderr'] as const) {
      opened.push(await openStream(dataDir, name, writerTo(streams[name], signal)));
    }
    // Before anything is written: the container may stop meanwhile.
    const shimPid = request.follow && view.task ? shimOf(view.task.pid) : undefined;
    for (const stream of opened) await copyStored(stream, request.tail, signal);
    if (request.follow && (view.state === 'running' || view.state === 'paused')) {
      await followStreams(ctx, { opened, id: view.record.id, shimPid, signal });
    }
    if (signal.aborted) throw new HealthctlError('ABORTED', 'reading the logs was cancelled');
  } finally {
    for (const { parts } of opened) for (const { file } of parts) await file.close();
  }
}

function refuseForeign({ record, name }: ContainerView): void {
  if (record.labels[LABELS.owner] !== undefined) return;
  const isNerdctls = record.labels[LABELS.name] !== undefined;
  throw new HealthctlError('CONFLICT', `the logs of container ${name} are not kept by healthctl`, {
    ...(isNerdctls ? { hint: `try: nerdctl logs ${name}` } : {}),
  });
}

interface StoredStream {
  /** Oldest first. */
  readonly parts: readonly (StoredPart & { readonly file: GrowingFile; readonly path: string })[];
  readonly write: Write;
}

async function openStream(dataDir: string, name: OutputStream, write: Write): Promise<StoredStream> {
  const parts: { file: GrowingFile; path: string; size: number }[] = [];
  for (const path of outputFilesOf(dataDir, name)) {
    const file = await openGrowingFile(path);
    parts.push({ file, path, size: await file.size() });
  }
  return { parts, write };
}

async function copyStored({ parts, write }: StoredStream, tail: number | 'all', signal: AbortSignal): Promise<void> {
  const start: Place = tail === 'all' ? { part: 0, offset: 0 } : await findTail(parts, tail);
  for (const [index, { file, size }] of parts.entries()) {
    if (index < start.part) continue;
    await copyRange(file, { from: index === start.part ? start.offset : 0, to: size, write, signal });
  }
}

interface Followed {
  readonly opened: readonly StoredStream[];
  readonly id: string;
  readonly shimPid: number | undefined;
  readonly signal: AbortSignal;
}

async function followStreams(
  { containerd, clock }: Pick<ContainerContext, 'containerd' | 'clock'>,
  { opened, id, shimPid, signal }: Followed,
): Promise<void> {
  const live = opened.flatMap(({ parts, write }) => {
    const last = parts.at(-1);
    return last ? [{ ...last, write }] : [];
  });
  const copied = new AbortController();
  const following = Promise.all(
    live.map(({ file, size, write }) => followFile(file, { from: size, write, clock, ended: copied.signal, signal })),
  );
  const stopped = async (): Promise<void> => {
    await containerd.tasks.wait({ containerId: id }, { signal });
    await untilCopied({ shimPid, paths: live.map(({ path }) => path), clock, signal });
    copied.abort();
    await following;
  };
  await Promise.race([stopped(), following]);
}
