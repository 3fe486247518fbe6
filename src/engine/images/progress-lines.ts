import type { OnProgress } from '../../image/progress.ts';
import { messageOf } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import type { Call, StreamedAnswer } from '../route.ts';

/** One line of an answer that reports as it works. */
export type ProgressLine = Readonly<Record<string, unknown>>;

/** Docker's JSON lines of a pull, a push or a load. */
export interface ProgressLines {
  readonly onProgress: OnProgress;
  /** Sends a line; the first one sends the head of the answer. */
  send(line: ProgressLine): Promise<void>;
  /** Resolves when the client has taken all lines. */
  finish(): Promise<void>;
  readonly hasBegun: boolean;
}

/**
 * Counts are dropped while the client is slower than they come, so that memory stays bounded: each is outdated by the
 * next.
 *
 * @param first the line before the first one, e.g. `Pulling from library/busybox`
 */
export function openProgressLines(call: Call, first?: ProgressLine): ProgressLines {
  let answer: StreamedAnswer | undefined;
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  const write = (text: string): Promise<void> => {
    answer ??= call.stream({ contentType: 'application/json' });
    const to = answer;
    waiting += 1;
    last = last
      .then(() => to.write(text))
      .finally(() => {
        waiting -= 1;
      });
    return last;
  };
  const send = (line: ProgressLine): Promise<void> => {
    if (!answer && first) void write(textOf(first));
    return write(textOf(line));
  };
  return {
    onProgress: ({ ref, status, current, total }) => {
      if (current === undefined || total === undefined) void send({ status, progressDetail: {}, id: ref });
      else if (waiting === 0) void send(countLine({ ref, status, current, total }));
    },
    send,
    finish: () => last,
    get hasBegun() {
      return answer !== undefined;
    },
  };
}

/**
 * Runs what reports by lines. An error before the first line is the answer's status; a later one is a line, because the
 * head with 200 has been sent.
 */
export async function withErrorLine(lines: ProgressLines, work: () => Promise<void>): Promise<undefined> {
  try {
    await work();
  } catch (error) {
    if (!lines.hasBegun) throw error;
    await lines.send(errorLine(messageOf(error)));
  }
  await lines.finish();
}

export const errorLine = (message: string): ProgressLine => ({ errorDetail: { message }, error: message });

/** Docker ends its lines like this. */
const textOf = (line: ProgressLine): string => `${encodeJson(line)}\r\n`;

const BAR_WIDTH = 50;

interface Count {
  readonly ref: string;
  readonly status: string;
  readonly current: number;
  readonly total: number;
}

function countLine({ ref, status, current, total }: Count): ProgressLine {
  const filled = total > 0 ? Math.min(BAR_WIDTH, Math.floor((current / total) * BAR_WIDTH)) : 0;
  const bar = `[${'='.repeat(filled)}>${' '.repeat(BAR_WIDTH - filled)}]`;
  const progress = `${bar} ${humanSize(current).padStart(8)}/${humanSize(total)}`;
  return { status, progressDetail: { current, total }, progress, id: ref };
}

/** Four significant digits in powers of 1000, as in Docker. */
function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(4))}${units[power]}`;
}
