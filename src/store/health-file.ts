import type { Result } from '../health/result.ts';
import type { HealthState, StoredHealth } from '../health/state.ts';
import { jsonFromHealthState, jsonFromResult, parseHealthState, parseResult } from '../health/state-json.ts';
import { LABELS } from '../lib/labels.ts';
import { parseJsonText } from '../lib/shape.ts';
import type { HealthRecord } from './health-store.ts';

/** One parsed line of `health.json`. `state` is missing in lines by nerdctl. */
interface Line {
  readonly result: Result;
  readonly state: HealthState | undefined;
}

/** Longest output to keep of a foreign result, in characters: nerdctl stores up to 1 MiB. */
const MAX_OUTPUT_LENGTH = 4096;
/** Longest remark before the output of a check that timed out, or after one that was cut. */
const MAX_REMARK_LENGTH = 100;

/**
 * Parses the text of a `health.json` (JSON lines, oldest first) together with the mirror label.
 *
 * The last line is the state. If it has none, nerdctl wrote it; nerdctl writes the label just before the line, so the
 * label is the state. If no line is left (the run root was emptied), the label is all there is. A line that does not
 * parse is skipped; `warnings` names all of them in one text.
 */
export function parseHealthFile(
  text: string,
  labels: Readonly<Record<string, string>>,
  maxEntries: number,
): StoredHealth & { readonly lines: readonly string[]; readonly warnings: readonly string[] } {
  const damaged: number[] = [];
  const kept: { line: Line; raw: string }[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    if (raw.trim() === '') continue;
    const line = parseLine(raw);
    if (line) kept.push({ line, raw });
    else damaged.push(index + 1);
  }
  const recent = kept.slice(-maxEntries);
  const last = recent.at(-1)?.line;
  return {
    log: recent.map(({ line }) => line.result),
    state: last ? (last.state ?? foreignState(last, labels)) : mirroredState(labels),
    lines: recent.map(({ raw }) => raw),
    warnings: damagedWarnings(damaged),
  };
}

/** One warning for all lines: nerdctl's files grow as long as their container lives. */
function damagedWarnings([first, ...more]: readonly number[]): readonly string[] {
  if (first === undefined) return [];
  if (more.length === 0) return [`line ${first} of health.json is damaged and skipped`];
  return [`${more.length + 1} lines of health.json are damaged and skipped, the first is line ${first}`];
}

/**
 * The state that nerdctl left: its label, without the `Run` that only we write; without a label, what the line alone
 * says.
 */
function foreignState(last: Line, labels: Readonly<Record<string, string>>): HealthState {
  const mirrored = mirroredState(labels);
  if (mirrored) return { ...mirrored, run: undefined };
  const failed = last.result.exitCode !== 0;
  return {
    status: failed ? 'starting' : 'healthy',
    failingStreak: failed ? 1 : 0,
    inStartPeriod: false,
    run: undefined,
  };
}

/** The state in the mirror label. */
export function mirroredState(labels: Readonly<Record<string, string>>): HealthState | undefined {
  const text = labels[LABELS.nerdctlHealthstate];
  return parseHealthState(parseJsonText(text));
}

function parseLine(raw: string): Line | undefined {
  const value = parseJsonText(raw);
  const result = parseResult(value);
  if (!result) return undefined;
  const state = parseHealthState(value);
  const isOurs = state?.run !== undefined;
  const limit = isOurs ? MAX_OUTPUT_LENGTH + MAX_REMARK_LENGTH : MAX_OUTPUT_LENGTH;
  const output = result.output.length > limit ? `${result.output.slice(0, MAX_OUTPUT_LENGTH)}...` : result.output;
  return { result: { ...result, output }, state: isOurs ? state : undefined };
}

/**
 * A line of `health.json`, without its end: Docker's four keys, `EndBoot` and the state after the result. nerdctl's
 * reader ignores unknown keys.
 */
export function lineFromRecord({ result, state }: HealthRecord): string {
  const boot = result.endBootMs === undefined ? {} : { EndBoot: result.endBootMs };
  return JSON.stringify({ ...jsonFromResult(result), ...boot, ...jsonFromHealthState(state) });
}
