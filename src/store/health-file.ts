import type { Result } from '../health/result.ts';
import type { HealthState, StoredHealth } from '../health/state.ts';
import { jsonFromHealthState, jsonFromResult, parseHealthState, parseResult } from '../health/state-json.ts';
import { LABELS } from '../lib/labels.ts';
import type { HealthRecord } from './health-store.ts';

/** One parsed line of `health.json`. `state` is missing where nerdctl wrote the line. */
interface Line {
  readonly result: Result;
  readonly state: HealthState | undefined;
}

/** The most of a foreign result's output that is kept, in characters: nerdctl stores up to 1 MiB. */
const MAX_OUTPUT_LENGTH = 4096;
/** The text that may stand before the output of a check that timed out, and behind one that was cut. */
const MAX_REMARK_LENGTH = 100;

/**
 * Reads the text of a `health.json` (JSON lines, oldest first) together with the mirror label.
 *
 * The last line is the state. A last line without a state was written by nerdctl, which writes the label just before the line: then the
 * label is the state. Where no line is left (somebody emptied the run root) it is all there is. A line that does not parse is skipped; `warnings` tells of all of them in one text.
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

/** One for all lines: a file of nerdctl's is as long as its container is old. */
function damagedWarnings([first, ...more]: readonly number[]): readonly string[] {
  if (first === undefined) return [];
  if (more.length === 0) return [`line ${first} of health.json is damaged and skipped`];
  return [`${more.length + 1} lines of health.json are damaged and skipped, the first is line ${first}`];
}

/** The state that nerdctl left: its label, without the `Run` that only we write; without a label, what the line alone says. */
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

/** The state that the mirror label holds. */
export function mirroredState(labels: Readonly<Record<string, string>>): HealthState | undefined {
  const text = labels[LABELS.nerdctlHealthstate];
  if (text === undefined) return undefined;
  try {
    return parseHealthState(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function parseLine(raw: string): Line | undefined {
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    return undefined;
  }
  const result = parseResult(value);
  if (!result) return undefined;
  const state = parseHealthState(value);
  const isOurs = state?.run !== undefined;
  const limit = isOurs ? MAX_OUTPUT_LENGTH + MAX_REMARK_LENGTH : MAX_OUTPUT_LENGTH;
  const output = result.output.length > limit ? `${result.output.slice(0, MAX_OUTPUT_LENGTH)}...` : result.output;
  return { result: { ...result, output }, state: isOurs ? state : undefined };
}

/** A line of `health.json`, without its end: Docker's four keys, `EndBoot` and the state after the result. nerdctl's reader ignores keys it does not know. */
export function lineFromRecord({ result, state }: HealthRecord): string {
  const boot = result.endBootMs === undefined ? {} : { EndBoot: result.endBootMs };
  return JSON.stringify({ ...jsonFromResult(result), ...boot, ...jsonFromHealthState(state) });
}
