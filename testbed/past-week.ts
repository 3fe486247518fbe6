import { DAY_MS, dayOf } from '../src/history/files.ts';
import type { Change, Phase, Sample } from '../src/history/model.ts';
import { openHistoryStore } from '../src/history/store.ts';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';

/** A container with an invented history. */
export interface PastLife {
  readonly key: string;
  readonly name: string;
  readonly image: string;
  /** From oldest to newest; the first begins with the history. */
  readonly phases: readonly PastPhase[];
  /** The duration of a check. Default 12 ms. */
  readonly durationMs?: (atMs: number) => number;
}

export interface PastPhase {
  /** Milliseconds before the end of the history. */
  readonly agoMs: number;
  readonly phase: Phase;
  readonly reason?: string;
  readonly exitCode?: number;
}

const WINDOW_MS = 10 * 60_000;

/** Writes the history of the last days into a directory, like a monitor. */
export async function writePast(
  dir: string,
  lives: readonly PastLife[],
  { untilMs, lengthMs, everyMs }: { readonly untilMs: number; readonly lengthMs: number; readonly everyMs: number },
): Promise<void> {
  let nowMs = untilMs - lengthMs;
  const store = await openHistoryStore({
    ...{ dir, limits: { maxAgeMs: 8 * DAY_MS, maxBytes: 256 << 20 }, log: silentLogger },
    clock: { ...systemClock, now: () => nowMs, sleep: async () => {} },
  });
  const changes = lives.flatMap((life) => changesOf(life, untilMs - lengthMs, untilMs)).sort((a, b) => a.atMs - b.atMs);
  for (; nowMs < untilMs; nowMs += WINDOW_MS) {
    const toMs = Math.min(untilMs, nowMs + WINDOW_MS);
    const isIn = ({ atMs }: { readonly atMs: number }): boolean => atMs >= nowMs && atMs < toMs;
    const samples: (readonly [string, Sample])[] = [];
    for (let atMs = nowMs; atMs < toMs; atMs += everyMs)
      for (const life of lives)
        samples.push(...sampleAt(life, atMs, untilMs).map((sample) => [life.key, sample] as const));
    // The time of a batch is its end: afterwards no monitor ran.
    await store.appendSamples(toMs - 1, samples);
    await store.appendChanges(toMs - 1, changes.filter(isIn));
  }
  await store.close();
}

function sampleAt(life: PastLife, atMs: number, untilMs: number): readonly Sample[] {
  const { phase, reason = '', exitCode = 1 } = phaseAt(life, atMs, untilMs);
  if (phase !== 'starting' && phase !== 'healthy' && phase !== 'unhealthy') return [];
  const isBad = phase === 'unhealthy';
  return [
    {
      ...{ atMs, durationMs: Math.round(life.durationMs?.(atMs) ?? 12), lagMs: 1, status: phase },
      ...{ exitCode: isBad ? exitCode : 0, output: isBad ? reason : '' },
    },
  ];
}

const NONE: PastPhase = { agoMs: 0, phase: 'gone' };
const phaseAt = ({ phases }: PastLife, atMs: number, untilMs: number): PastPhase =>
  phases.findLast(({ agoMs }) => untilMs - agoMs <= atMs) ?? NONE;

/** Each day repeats names and phases, as the monitor writes them. */
function changesOf(life: PastLife, fromMs: number, untilMs: number): readonly Change[] {
  const { key, name, image } = life;
  const changed = life.phases.map((one): Change => phaseChange(key, one, untilMs - one.agoMs));
  const days: Change[] = [];
  for (let atMs = fromMs; atMs < untilMs; atMs = dayOf(atMs) + DAY_MS) {
    const phase = phaseAt(life, atMs, untilMs);
    days.push({ kind: 'seen', atMs, key, name, image });
    if (phase.phase !== 'gone')
      days.push({ ...phaseChange(key, phase, atMs), sinceMs: untilMs - phase.agoMs } as Change);
  }
  return [...days, ...changed];
}

function phaseChange(key: string, { phase, reason = '', exitCode }: PastPhase, atMs: number): Change {
  return { kind: 'phase', atMs, key, phase, exitCode, reason };
}
