import { printableLine } from '../../lib/printable.ts';
import type { Completion, NameKind, OptionSpec } from '../command.ts';

/** A word that may stand at the end of the line. */
export interface Candidate {
  readonly value: string;
  /** One line, may be empty. */
  readonly description: string;
}

/**
 * Asks this host for names, at least those that begin with the text; an empty list if they cannot be read. Never
 * throws.
 */
export type NameSource = (kind: NameKind, text: string) => Promise<readonly Candidate[]>;

/** What fits a text: words to choose from, or paths, which the shell completes itself. */
export interface Found {
  readonly candidates: readonly Candidate[];
  readonly paths: Completion['paths'];
}

/** Shells show a description beside its word, on one line. */
const DESCRIPTION_WIDTH = 70;

/** What a completion offers for a text. The values begin with it. */
export async function expand(completion: Completion, text: string, namesOf: NameSource): Promise<Found> {
  const { words = [], names = [], paths, after = {} } = completion;
  const begin = Object.keys(after)
    .filter((key) => text.startsWith(key))
    .sort((a, b) => b.length - a.length)[0];
  const rest = begin === undefined ? undefined : after[begin];
  if (begin !== undefined && rest) {
    const found = await expand(rest, text.slice(begin.length), namesOf);
    const candidates = found.candidates.map(({ value, description }) => ({ value: begin + value, description }));
    return { ...found, candidates };
  }
  const isAlone = words.length + names.length + Object.keys(after).length === 0;
  if (paths && (isAlone || /^[./~]/.test(text))) return { candidates: [], paths };
  const named = (await Promise.all(names.map((kind) => namesOf(kind, text)))).flat();
  const plain = [...words, ...Object.keys(after)].map((value) => ({ value, description: '' }));
  return { candidates: fitting([...plain, ...named], text), paths: undefined };
}

/**
 * Those that begin with the text, each once, in the given order, fit to be written on a command line. Names come from
 * containers and other tools: one that a terminal would interpret cannot be written, and one that begins with a dash
 * would be an option.
 */
export function fitting(candidates: readonly Candidate[], text: string): readonly Candidate[] {
  const seen = new Set<string>();
  return candidates.flatMap(({ value, description }) => {
    if (!value.startsWith(text) || seen.has(value) || value === '' || printableLine(value) !== value) return [];
    if (value.startsWith('-') && !text.startsWith('-')) return [];
    seen.add(value);
    return { value, description: shorten(printableLine(description.split('\n')[0] ?? '')) };
  });
}

function shorten(text: string): string {
  const letters = [...text];
  return letters.length <= DESCRIPTION_WIDTH ? text : `${letters.slice(0, DESCRIPTION_WIDTH - 1).join('')}…`;
}

/** Long options; those of one letter where only the dash is there. */
export function optionCandidates(specs: readonly OptionSpec[], last: string): readonly Candidate[] {
  const shown = specs.filter((spec) => !spec.hidden || spec.name === 'help');
  const long = shown.map(({ name, help }) => ({ value: `--${name}`, description: help }));
  if (last !== '-') return long;
  return [...long, ...shown.flatMap(({ short, help }) => (short ? { value: `-${short}`, description: help } : []))];
}
