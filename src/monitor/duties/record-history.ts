import { isChecked } from '../../health/config.ts';
import type { Result } from '../../health/result.ts';
import type { Phase, Sample } from '../../history/model.ts';
import type { HistoryRecorder } from '../../history/recorder.ts';
import { type ContainerRef, keyOf } from '../../lib/container-key.ts';
import { LABELS } from '../../lib/labels.ts';
import { isStoppedByUser, restartPolicyOf } from '../../record/restart-label.ts';
import type { RecordedResult } from '../hooks.ts';
import type { KnownContainer } from '../host-model.ts';
import { knownHealthOf } from '../known-container.ts';

/** Records in the history what happens to containers. */
export interface HistoryNotes {
  onResult(container: KnownContainer, recorded: RecordedResult): void;
  onChange(container: KnownContainer): void;
  onGone(container: KnownContainer): void;
  onAction(ref: ContainerRef, action: 'restart' | 'kill' | 'stop', reason: string): void;
  /**
   * The monitor has applied containerd's list. Those that are there follow in `onChange`, when their stored health is
   * read: before that, all of them seem to be starting.
   */
  onLive(all: Iterable<KnownContainer>): void;
}

/** @param namespaces the monitored ones; empty: all */
export function createHistoryNotes(recorder: HistoryRecorder, namespaces: readonly string[]): HistoryNotes {
  const isMonitored = (key: string): boolean =>
    namespaces.length === 0 || namespaces.some((namespace) => key.startsWith(`${namespace}/`));
  const onChange = (container: KnownContainer): void => {
    const seen = phaseOf(container);
    if (!seen) return;
    recorder.observe({ ...identityOf(container), ...seen });
  };
  return {
    onResult: (container, { result, state, lagMs }) => {
      recorder.sample(keyOf(container), sampleOf(result, { status: state.status, lagMs }));
    },
    onChange,
    onGone: (container) => {
      recorder.observe({
        ...identityOf(container),
        ...{ phase: 'gone', atMs: Number.POSITIVE_INFINITY, exitCode: undefined, reason: '' },
      });
    },
    onAction: (ref, action, reason) => recorder.action(keyOf(ref), { action, reason }),
    onLive: (all) => {
      const keys = new Set([...all].map(keyOf));
      recorder.markOthers(keys, (key) => (isMonitored(key) ? 'gone' : 'unchecked'));
    },
  };
}

const identityOf = (container: KnownContainer) => ({
  key: keyOf(container),
  name: container.record.labels[LABELS.name] ?? container.id.slice(0, 12),
  image: container.record.image,
});

function sampleOf(
  { start, end, exitCode, output }: Result,
  { status, lagMs }: Pick<Sample, 'status' | 'lagMs'>,
): Sample {
  const atMs = Date.parse(start);
  return {
    ...{ atMs, durationMs: Math.max(0, Date.parse(end) - atMs), lagMs, status, exitCode },
    output: exitCode === 0 ? '' : output,
  };
}

export interface SeenPhase {
  readonly phase: Phase;
  /** Wall time; infinity: now. */
  readonly atMs: number;
  readonly exitCode: number | undefined;
  readonly reason: string;
}

/** Undefined for a container that was never started, and while its state is unknown. */
export function phaseOf(container: KnownContainer): SeenPhase | undefined {
  const { run, task, config, record, isShimSilent } = container;
  if (isShimSilent) return undefined;
  const now = { atMs: Number.POSITIVE_INFINITY, exitCode: undefined, reason: '' };
  if (run) {
    if (task?.status === 'paused' || task?.status === 'pausing') return { ...now, phase: 'paused' };
    if (!isChecked(config)) return { ...now, phase: 'unchecked' };
    const phase = knownHealthOf(container)?.status ?? 'starting';
    // A check that an update gave or replaced starts at the update.
    const startMs = Math.max(run.startedAtMs, run.testSinceMs ?? 0);
    if (phase === 'starting') return { ...now, phase, atMs: startMs };
    const last = phase === 'unhealthy' ? container.stored.log.at(-1) : undefined;
    return { ...now, phase, exitCode: last?.exitCode, reason: last?.output ?? '' };
  }
  if (task?.status !== 'stopped') return undefined;
  const { exitStatus, exitedAtMs: atMs = Number.POSITIVE_INFINITY } = task;
  if (isStoppedByUser(record.labels)) return { phase: 'stopped', atMs, exitCode: exitStatus, reason: '' };
  const hasFinished = exitStatus === 0 && restartPolicyOf(record.labels).name === 'no';
  const reason = container.isOutOfMemory ? 'the kernel killed a process of it for lack of memory' : '';
  return { phase: hasFinished ? 'stopped' : 'ended', atMs, exitCode: exitStatus, reason };
}
