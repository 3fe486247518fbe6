import { humanSize } from '../go/units.ts';
import type { Clock } from '../lib/clock.ts';

/** A step of a long command: see image/progress.ts. */
interface Step {
  readonly ref: string;
  readonly status: string;
  readonly current?: number;
  readonly total?: number;
}

/** The part of stderr that progress needs. */
export interface ProgressSink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface ProgressView {
  onProgress(step: Step): void;
  /** Draws the last state; nothing is drawn afterwards. */
  end(): void;
}

const REDRAW_MS = 100;
const BAR_WIDTH = 50;

/** On a terminal a line for each layer, redrawn in place; elsewhere a line when a layer's status changes. */
export function showProgress(sink: ProgressSink, clock: Pick<Clock, 'monotonic'>): ProgressView {
  return sink.isTTY === true ? redrawInPlace(sink, clock) : writeChanges(sink);
}

function writeChanges(sink: ProgressSink): ProgressView {
  const seen = new Map<string, string>();
  return {
    onProgress: ({ ref, status, current }) => {
      // A status with a count is one of many; the end has its own status.
      if (current !== undefined || seen.get(ref) === status) return;
      seen.set(ref, status);
      sink.write(`${ref}: ${status}\n`);
    },
    end: () => undefined,
  };
}

function redrawInPlace(sink: ProgressSink, clock: Pick<Clock, 'monotonic'>): ProgressView {
  const steps = new Map<string, Step>();
  const drawn = { lines: 0, atMs: Number.NEGATIVE_INFINITY, pending: false };
  const draw = () => {
    // Lines above the screen cannot be redrawn.
    const visible = [...steps.values()].slice(-Math.max(1, (sink.rows ?? 24) - 1));
    const width = Math.max(20, (sink.columns ?? 80) - 1);
    const lines = visible.map((step) => `\r\x1b[2K${formatStep(step, width).slice(0, width)}\n`);
    const up = drawn.lines > 0 ? `\x1b[${drawn.lines}A` : '';
    sink.write(`${up}${lines.join('')}`);
    Object.assign(drawn, { lines: visible.length, atMs: clock.monotonic(), pending: false });
  };
  return {
    onProgress: (step) => {
      steps.set(step.ref, step);
      if (clock.monotonic() - drawn.atMs >= REDRAW_MS) draw();
      else drawn.pending = true;
    },
    end: () => {
      if (drawn.pending) draw();
    },
  };
}

/** `4f4fb700ef54: Downloading [====>      ]  1.2MB/3.4MB`, the bar only where there is room for it. */
export function formatStep({ ref, status, current, total }: Step, width: number): string {
  const head = `${ref}: ${status}`;
  if (current === undefined || total === undefined || total <= 0) return head;
  const numbers = ` ${humanSize(current, 3)}/${humanSize(total, 3)}`;
  const room = Math.min(BAR_WIDTH, width - head.length - numbers.length - 4);
  if (room < 5) return `${head}${numbers}`;
  const filled = Math.min(room, Math.floor((current / total) * room));
  const bar = filled === 0 ? '' : `${'='.repeat(filled - 1)}>`;
  return `${head} [${bar.padEnd(room)}] ${numbers}`;
}
