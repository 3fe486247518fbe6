import type { Clock } from '../../lib/clock.ts';
import { type ExpositionFormat, expositionOf } from '../../metrics/exposition.ts';
import type { MonitorFigures } from '../../metrics/monitor-figures.ts';
import type { HostModel } from '../../monitor/host-model.ts';
import { type BufferPool, createBufferPool } from './buffer-pool.ts';
import type { MetricsRecorder } from './recorder.ts';

/** All metrics as text. Shared by its readers: do not change it, and do not read it after `release`. */
export interface MetricsText {
  readonly parts: readonly Buffer[];
  readonly byteLength: number;
  /** Its reader needs it no more. */
  release(): void;
}

export interface MetricsPage {
  /** The present metrics; at most MAX_AGE_MS old. Release them. */
  read(format: ExpositionFormat): Promise<MetricsText>;
  /** Forgets the texts. */
  stop(): void;
}

interface ObserveDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly recorder: Pick<MetricsRecorder, 'observe'>;
  readonly model: Pick<HostModel, 'all'>;
  /** Lets other work of the process run. */
  readonly pause: () => Promise<void>;
}

export interface MetricsPageDeps extends ObserveDeps {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly recorder: Pick<MetricsRecorder, 'observe' | 'containers'>;
  readonly figures: () => MonitorFigures;
}

/** Several scrapers, and clients that ask without end, share one text: it is made once a second at most. */
const MAX_AGE_MS = 900;
/** How long other work may wait for the text. */
const SLICE_MS = 2;
const PART_BYTES = 1 << 16;

/** Makes the text of all metrics in slices, so that no check waits for it. */
export function createMetricsPage(deps: MetricsPageDeps): MetricsPage {
  const { clock } = deps;
  const pool = createBufferPool(PART_BYTES, clock);
  const made = new Map<ExpositionFormat, Shared>();
  return {
    read: async (format) => {
      const shared = made.get(format) ?? share(makeText(deps, pool, format), pool);
      if (made.get(format) !== shared) {
        made.set(format, shared);
        shared.expiry = clock.after(MAX_AGE_MS, () => {
          made.delete(format);
          shared.release();
        });
      }
      return shared.read();
    },
    stop: () => {
      for (const { expiry } of made.values()) expiry?.cancel();
      made.clear();
      pool.stop();
    },
  };
}

interface Shared {
  expiry: { cancel(): void } | undefined;
  read(): Promise<MetricsText>;
  /** Of its maker. */
  release(): void;
}

/** A text whose buffers go back to the pool after its maker and its last reader have released it. */
function share(making: Promise<Made>, pool: BufferPool): Shared {
  let holders = 1;
  const createRelease = (): (() => void) => {
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      holders -= 1;
      if (holders === 0)
        void making.then(
          ({ buffers }) => pool.giveBack(buffers),
          () => undefined,
        );
    };
  };
  return {
    expiry: undefined,
    release: createRelease(),
    read: async () => {
      holders += 1;
      const release = createRelease();
      const { parts, byteLength } = await making;
      return { parts, byteLength, release };
    },
  };
}

/** Records the present facts of all containers, in slices. */
export async function observeAll(deps: ObserveDeps): Promise<void> {
  const pauseIfDue = createPauses(deps);
  for (const container of deps.model.all()) {
    deps.recorder.observe(container);
    await pauseIfDue();
  }
}

function createPauses({ clock, pause }: Pick<ObserveDeps, 'clock' | 'pause'>): () => Promise<void> {
  let sliceEndMs = clock.monotonic() + SLICE_MS;
  return async () => {
    if (clock.monotonic() < sliceEndMs) return;
    await pause();
    sliceEndMs = clock.monotonic() + SLICE_MS;
  };
}

interface Made extends Omit<MetricsText, 'release'> {
  /** Those buffers of `parts` that go back to the pool. */
  readonly buffers: readonly Buffer[];
}

async function makeText(deps: MetricsPageDeps, pool: BufferPool, format: ExpositionFormat): Promise<Made> {
  const { recorder, figures } = deps;
  await observeAll(deps);
  const pauseIfDue = createPauses(deps);
  const [buffers, parts]: [Buffer[], Buffer[]] = [[pool.take()], []];
  let used = 0;
  let byteLength = 0;
  const cut = (): void => {
    const [last] = buffers.slice(-1);
    if (last) parts.push(last.subarray(0, used));
    byteLength += used;
    used = 0;
  };
  const write = (text: string): void => {
    const size = Buffer.byteLength(text);
    if (size > PART_BYTES - used) {
      cut();
      buffers.push(size > PART_BYTES ? Buffer.allocUnsafeSlow(size) : pool.take());
    }
    used += buffers.at(-1)?.write(text, used) ?? 0;
  };
  for (const text of expositionOf({ containers: [...recorder.containers.series], monitor: figures() }, format)) {
    write(text);
    await pauseIfDue();
  }
  cut();
  return { buffers: buffers.filter(({ length }) => length === PART_BYTES), parts, byteLength };
}
