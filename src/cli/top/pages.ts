import { printableLine } from '../../lib/printable.ts';
import type { Span, Style } from './line.ts';
import { wrap } from './line.ts';
import type { Size } from './model.ts';
import type { PastResult, ScreenState } from './state.ts';
import { clockText, tookText } from './texts.ts';

const HELP = `Keys

  up down j k        select a container
  pgup pgdn          a page up, a page down; also ctrl-b and ctrl-f, space; half a page: ctrl-u, ctrl-d
  g G home end       the first, the last
  enter              its details: what is checked, by whom, and its last results with their output
  esc q              back; in the list, q quits and esc shows all containers again

  /                  search: only what has the text in its name, image or id. enter keeps it, esc forgets it
  f                  show all, those in trouble, those with a check, those that run
  s < > left right   sort by another column
  R                  reverse the order

  c                  check the selected container now, besides its schedule
  r                  restart it
                     Both ask first; only y means yes

  ctrl-l             draw everything again
  ctrl-z             suspend; fg continues
  q ctrl-c           quit

Columns

  STATUS             unhealthy, starting, healthy; ended: its process ended and nobody has stopped it; restarting: the monitor starts it again after a delay; unknown: its shim does not answer; unchecked: it runs without a check
  SINCE              how long it is in this status; empty if nobody saw the change
  STREAK             failures in a row
  NEXT               when the next check is due, or the restart
  TOOK               how long the last check took
  CPU                of one processor: 200% is two of them
  MEMORY             without the files that the kernel could drop, as docker stats shows it
  RESULTS            the last results, the newest on the right: low marks passed, high ones failed`;

/** The lines of the page that is open: of the help, or of a container. */
export function pageLines(state: ScreenState, size: Size): readonly Span[] {
  const { mode } = state;
  if (mode.kind === 'help')
    return HELP.split('\n').flatMap((line) =>
      wrapped(line, size.columns, { indent: 21, style: /^\w/.test(line) ? 'title' : undefined }),
    );
  if (mode.kind !== 'details') return [];
  const { details } = state;
  if (!details) return [{ text: 'loading …', style: 'dim' }];
  const about = details.about
    .split('\n')
    .map(printableLine)
    .flatMap((line) => {
      const style = /^\w.*:$/.test(line) ? 'title' : undefined;
      return wrapped(line, size.columns, { indent: indentOf(line), style });
    });
  return [...about, ...resultLines(details.results, size.columns)];
}

/** Of `explain`: values are below each other, other texts are indented a little. */
function indentOf(line: string): number {
  return /^ [A-Z][\w ]*: /.test(line) ? 20 : (/^ */.exec(line)?.[0].length ?? 0) + 2;
}

function wrapped(
  text: string,
  width: number,
  { indent, style }: { readonly indent: number; readonly style: Style | undefined },
): readonly Span[] {
  return wrap(text, width, indent).map((line) => ({ text: line, ...(style === undefined ? {} : { style }) }));
}

/** Lines of output of each result; of the newest, all of them. */
const MAX_OUTPUT_LINES = 5;
const OUTPUT_INDENT = 30;

function resultLines(results: readonly PastResult[], width: number): readonly Span[] {
  if (results.length === 0) return [{ text: 'No results yet', style: 'title' }];
  const lines = results.flatMap((result, index) => resultText(result, width, index === 0));
  return [{ text: 'Results, the newest first:', style: 'title' }, ...lines];
}

function resultText(
  { atMs, durationMs, exitCode, output }: PastResult,
  width: number,
  isNewest: boolean,
): readonly Span[] {
  const event = exitCode === 0 ? 'ok' : `failed (${exitCode})`;
  const head = ` ${clockText(atMs)}  ${event.padEnd(11)} ${tookText(durationMs).padStart(6)} `;
  const all = output.trimEnd().split(/\r?\n/).map(printableLine);
  const shown = isNewest ? all : all.slice(0, MAX_OUTPUT_LINES);
  const more = all.length - shown.length;
  const texts = more > 0 ? [...shown, `… ${more} more`] : shown;
  const spans = texts.flatMap((text, index) =>
    wrap(index === 0 ? head + text : ' '.repeat(OUTPUT_INDENT) + text, width, OUTPUT_INDENT),
  );
  const style: Style | undefined = exitCode === 0 ? undefined : 'bad';
  return spans.map((text) => ({ text: text.trimEnd(), ...(style === undefined ? {} : { style }) }));
}
