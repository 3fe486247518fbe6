import UPlot from 'uplot';
import type { PlotPoint } from '../wire.ts';

const HEIGHT = 180;

/** Draws durations into an element until the signal fires; again when the colours or the width change. */
export function drawPlot(target: HTMLElement, points: readonly PlotPoint[], signal: AbortSignal): void {
  let plot: UPlot | undefined;
  const draw = (): void => {
    plot?.destroy();
    plot = new UPlot(optionsFor(target, points), dataOf(points), target);
  };
  draw();
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', draw);
  const resized = new ResizeObserver(() => plot?.setSize({ width: target.clientWidth, height: HEIGHT }));
  resized.observe(target);
  signal.addEventListener('abort', () => {
    dark.removeEventListener('change', draw);
    resized.disconnect();
    plot?.destroy();
  });
}

function dataOf(points: readonly PlotPoint[]): UPlot.AlignedData {
  return [
    points.map(({ atMs }) => atMs / 1_000),
    points.map(({ p50Ms }) => p50Ms),
    points.map(({ p95Ms }) => p95Ms),
    points.map(({ failed, p95Ms }) => (failed > 0 ? p95Ms : null)),
  ];
}

function optionsFor(target: HTMLElement, points: readonly PlotPoint[]): UPlot.Options {
  const styles = getComputedStyle(target);
  const colour = (name: string): string => styles.getPropertyValue(`--${name}`).trim();
  const axis: UPlot.Axis = {
    ...{ stroke: colour('quiet'), font: '12px system-ui, sans-serif' },
    grid: { stroke: colour('line'), width: 1 },
    ticks: { stroke: colour('line'), width: 1 },
  };
  // A lone point is no line.
  const isFew = points.length < 3;
  return {
    ...{ width: Math.max(200, target.clientWidth), height: HEIGHT },
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => `${tick} ms`) }],
    series: [
      {},
      { stroke: colour('good'), width: 2, points: { show: isFew } },
      { stroke: colour('busy'), width: 1.5, dash: [4, 3], points: { show: isFew } },
      { stroke: colour('bad'), paths: () => null, points: { show: true, size: 7, fill: colour('bad') } },
    ],
  };
}
