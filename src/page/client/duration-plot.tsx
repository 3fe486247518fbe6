import { useEffect, useRef, useState } from 'preact/hooks';
import type { PlotPoint, RangeName } from '../wire.ts';
import { RANGE_TEXTS } from './format.ts';

export interface DurationPlotProps {
  readonly points: readonly PlotPoint[];
  readonly range: RangeName;
}

/** How long checks took: median and 95 %, and where some failed. */
export function DurationPlot({ points, range }: DurationPlotProps) {
  const holder = useRef<HTMLDivElement>(null);
  const [failure, setFailure] = useState('');
  useEffect(() => {
    const target = holder.current;
    if (!target || points.length === 0) return undefined;
    const over = new AbortController();
    // Only here: the plotting library is half of the page.
    import('./plot.ts').then(
      ({ drawPlot }) => {
        if (over.signal.aborted) return;
        setFailure('');
        drawPlot(target, points, over.signal);
      },
      () => {
        if (!over.signal.aborted) setFailure('The plot could not be loaded.');
      },
    );
    return () => over.abort();
  }, [points]);
  if (points.length === 0) return <p class="quiet">No check in {RANGE_TEXTS[range]}.</p>;
  return (
    <>
      {failure !== '' && <p class="alert">{failure}</p>}
      <div ref={holder} class="plot" role="img" aria-label={summary(points, range)} />
      <p class="legend small">
        <span class="key-p50">median</span> <span class="key-p95">95 %</span>{' '}
        <span class="key-failed">with failed checks</span>
      </p>
    </>
  );
}

function summary(points: readonly PlotPoint[], range: RangeName): string {
  const most = Math.max(...points.map(({ p95Ms }) => p95Ms));
  const medians = points.map(({ p50Ms }) => p50Ms).sort((a, b) => a - b);
  const failed = points.reduce((total, point) => total + point.failed, 0);
  return `Durations in ${RANGE_TEXTS[range]}: median ${medians[Math.floor(medians.length / 2)]} ms, 95 % at most ${most} ms, ${failed} checks failed`;
}
