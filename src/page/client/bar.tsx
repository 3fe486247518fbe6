import { useState } from 'preact/hooks';
import { type ContainerRow, RANGES, type RangeName } from '../wire.ts';
import { barSummary, letterText, minuteText, RANGE_TEXTS } from './format.ts';

/** Height of a bar by its letter: a status shows by it too, not by its colour alone. */
const HEIGHTS: Readonly<Record<string, number>> = { u: 20, e: 20, f: 17, h: 12, s: 8, p: 5, '.': 2 };
const [WIDTH, GAP, HEIGHT] = [5, 1, 20];

export interface BarProps {
  readonly row: Pick<ContainerRow, 'bar' | 'succeeded' | 'failed'>;
  readonly range: RangeName;
  readonly fromMs: number;
}

/** The results of a range, as status pages show them; one path for each kind of bar. */
function Bars({ letters, active }: { readonly letters: string; readonly active: number | undefined }) {
  const kinds = [...new Set(letters)];
  return (
    <svg viewBox={`0 0 ${letters.length * WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {active !== undefined && (
        <rect class="cursor" x={active * WIDTH - GAP} y="0" width={WIDTH + GAP} height={HEIGHT} />
      )}
      {kinds.map((kind) => (
        <path key={kind} class={`bar-${kind === '.' ? 'none' : kind}`} d={pathOf(letters, kind)} />
      ))}
    </svg>
  );
}

function pathOf(letters: string, kind: string): string {
  const height = HEIGHTS[kind] ?? 2;
  return [...letters]
    .flatMap((letter, index) =>
      letter === kind ? [`M${index * WIDTH} ${HEIGHT - height}h${WIDTH - GAP}v${height}h-${WIDTH - GAP}z`] : [],
    )
    .join('');
}

/** For lists: an image with a text. */
export function ResultBar({ row, range, fromMs }: BarProps) {
  const [active, setActive] = useState<number | undefined>();
  return (
    <div
      class="bars"
      role="img"
      aria-label={barSummary(row.bar, RANGE_TEXTS[range])}
      title={active === undefined ? undefined : barText({ row, range, fromMs }, active)}
      onPointerMove={(event) => setActive(indexAt(event, row.bar.length))}
      onPointerLeave={() => setActive(undefined)}
    >
      <Bars letters={row.bar} active={active} />
    </div>
  );
}

/** For one container: the arrow keys go from bar to bar. */
export function ResultSlider({ row, range, fromMs }: BarProps) {
  const count = row.bar.length;
  const [active, setActive] = useState<number | undefined>();
  const at = Math.min(active ?? count - 1, count - 1);
  const text = barText({ row, range, fromMs }, at);
  return (
    <div class="slider">
      <div
        class="bars tall"
        role="slider"
        tabIndex={0}
        aria-label={`Results of ${RANGE_TEXTS[range]}, by bar`}
        aria-valuemin={0}
        aria-valuemax={count - 1}
        aria-valuenow={at}
        aria-valuetext={text}
        onPointerMove={(event) => setActive(indexAt(event, count))}
        onFocus={() => setActive(at)}
        onKeyDown={(event) => {
          const next = indexAfter(event.key, at, count);
          if (next === undefined) return;
          event.preventDefault();
          setActive(next);
        }}
      >
        <Bars letters={row.bar} active={active} />
      </div>
      <p class="quiet small" aria-hidden="true">
        {text}
      </p>
    </div>
  );
}

function indexAfter(key: string, at: number, count: number): number | undefined {
  const moves: Readonly<Record<string, number>> = {
    ...{ ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1 },
    ...{ Home: 0, End: count - 1, PageUp: at + 10, PageDown: at - 10 },
  };
  const next = moves[key];
  return next === undefined ? undefined : Math.max(0, Math.min(count - 1, next));
}

function indexAt({ clientX, currentTarget }: { clientX: number; currentTarget: Element }, count: number): number {
  const { left, width } = currentTarget.getBoundingClientRect();
  return Math.max(0, Math.min(count - 1, Math.floor(((clientX - left) / width) * count)));
}

function barText({ row, range, fromMs }: BarProps, index: number): string {
  const { barMs } = RANGES[range];
  const atMs = fromMs + index * barMs;
  const [good, bad] = [row.succeeded[index] ?? 0, row.failed[index] ?? 0];
  const time = `${minuteText(atMs, range !== '90m')} – ${minuteText(atMs + barMs, false)}`;
  return `${time}: ${letterText(row.bar.at(index) ?? '.')}; ${good} checks passed, ${bad} failed`;
}
