import type { PhaseSpan, RangeName } from '../wire.ts';
import { RANGE_TEXTS, STATUS_LEVELS, spanText } from './format.ts';

export interface PhaseStripProps {
  readonly spans: readonly PhaseSpan[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly range: RangeName;
}

const [WIDTH, HEIGHT] = [1_000, 10];
/** A short phase is visible. */
const LEAST = 2;

/** The phases of a container, to scale. */
export function PhaseStrip({ spans, fromMs, toMs, range }: PhaseStripProps) {
  const x = (atMs: number): number => (Math.max(0, atMs - fromMs) / Math.max(1, toMs - fromMs)) * WIDTH;
  return (
    <svg
      class="strip"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`Status in ${RANGE_TEXTS[range]}: ${phrases(spans, fromMs)}`}
    >
      {spans.map((span) => (
        <rect
          key={span.fromMs}
          class={`phase-${STATUS_LEVELS[span.phase]}`}
          x={x(span.fromMs)}
          width={Math.max(LEAST, x(span.toMs) - x(span.fromMs))}
          height={HEIGHT}
        />
      ))}
    </svg>
  );
}

/** Total time in each phase. */
function phrases(spans: readonly PhaseSpan[], fromMs: number): string {
  const totals = new Map<string, number>();
  for (const span of spans)
    totals.set(span.phase, (totals.get(span.phase) ?? 0) + span.toMs - Math.max(fromMs, span.fromMs));
  return [...totals].map(([phase, ms]) => `${phase} ${spanText(ms)}`).join(', ') || 'nothing is known';
}
