import type { Clock } from '../../lib/clock.ts';
import { type ExpositionFormat, expositionOf } from '../../metrics/exposition.ts';
import type { MonitorFigures } from '../../metrics/monitor-figures.ts';
import type { HostModel } from '../../monitor/host-model.ts';
import type { MetricsRecorder } from './recorder.ts';

/** All metrics as text, in parts of some 64 KiB. Shared by its readers: do not change it. */
export interface MetricsText {
  readonly parts: readonly Buffer[];
  readonly byteLength: number;
}

export interface MetricsPage {
  /** The present metrics; at most MAX_AGE_MS old. */
  read(format: ExpositionFormat): Promise<MetricsText>;
  /** Forgets the texts. */
  stop(): void;
}

export interface MetricsPageDeps {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly recorder: Pick<MetricsRecorder, 'observe' | 'containers'>;
  readonly model: Pick<HostModel, 'all'>;
  readonly figures: () => MonitorFigures;
  /** Lets other work of the process run. */
  readonly pause: () => Promise<void>;
}

/** Several scrapers, and clients that ask without end, share one text: it is made once a second at most. */
const MAX_AGE_MS = 900;
/** How long other work may wait for the text. */
const SLICE_MS = 2;
const PART_LENGTH = 1 << 16;

/** Makes the text of all metrics in slices, so that no check waits for it. */
export function createMetricsPage(deps: MetricsPageDeps): MetricsPage {
  const { clock } = deps;
  const made = new Map<ExpositionFormat, { readonly text: Promise<MetricsText>; cancel(): void }>();
  return {
    read: (format) => {
      const known = made.get(format);
      if (known) return known.text;
      const text = makeText(deps, format);
      const { cancel } = clock.after(MAX_AGE_MS, () => made.delete(format));
      made.set(format, { text, cancel });
      return text;
    },
    stop: () => {
      for (const { cancel } of made.values()) cancel();
      made.clear();
    },
  };
}

async function makeText(deps: MetricsPageDeps, format: ExpositionFormat): Promise<MetricsText> {
  const { clock, recorder, model, figures, pause } = deps;
  let sliceEndMs = clock.monotonic() + SLICE_MS;
  const pauseIfDue = async (): Promise<void> => {
    if (clock.monotonic() < sliceEndMs) return;
    await pause();
    sliceEndMs = clock.monotonic() + SLICE_MS;
  };
  for (const container of model.all()) {
    recorder.observe(container);
    await pauseIfDue();
  }
  const parts: Buffer[] = [];
  let text = '';
  const cut = (): void => {
    parts.push(Buffer.from(text));
    text = '';
  };
  for (const more of expositionOf({ containers: [...recorder.containers.series], monitor: figures() }, format)) {
    text += more;
    if (text.length >= PART_LENGTH) cut();
    await pauseIfDue();
  }
  cut();
  return { parts, byteLength: parts.reduce((total, { length }) => total + length, 0) };
}
