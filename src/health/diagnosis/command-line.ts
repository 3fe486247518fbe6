/** A simple command: its words without their quotes. */
export type Words = readonly string[];

const SHELLS = new Set(['sh', 'ash', 'bash', 'dash', 'zsh', 'busybox']);
/** Words before the program of a simple command. */
const PREFIXES = new Set(['exec', 'command', 'time', 'if', 'then', 'while', 'until', 'do', '!', '{', 'env']);

/** The name of a program, without its directory. */
export const programName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The text that a shell runs, of `["/bin/sh","-c",text]`; undefined for a command without a shell. */
export function shellTextOf(args: Words): string | undefined {
  const [program = '', option = '', text] = args;
  return SHELLS.has(programName(program)) && /^-[a-z]*c$/.test(option) ? text : undefined;
}

/**
 * The simple commands of a check's command, in order. Only for a guess at what it does: it splits at operators, drops
 * redirections and expands nothing.
 */
export function simpleCommands(args: Words): readonly Words[] {
  const text = shellTextOf(args);
  const commands = text === undefined ? [args] : splitShell(text);
  return commands.map(withoutPrefixes).filter((words) => words.length > 0);
}

/** Whether a text means to a shell no more than its words. */
export function isPlainCommand(text: string): boolean {
  return /^[\w@%+=:,./ -]+$/.test(text) && !/^\s*\w+=/.test(text);
}

const TOKEN =
  /[^\S\n]*(?:(\d*(?:>>|>&|<&|>|<)\s*)|([;&|()\n]+)|((?:[^\s;&|()<>'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+))/gsy;

function splitShell(text: string): readonly Words[] {
  const commands: string[][] = [[]];
  let isRedirected = false;
  // An unclosed quote ends the match: what was read until then stays.
  for (const [, redirection, operator, word] of text.matchAll(TOKEN)) {
    if (operator !== undefined) commands.push([]);
    else if (word !== undefined && !isRedirected) commands.at(-1)?.push(unquoted(word));
    isRedirected = redirection !== undefined;
  }
  return commands;
}

function unquoted(word: string): string {
  return word.replace(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs, (_, single?: string, double?: string, one?: string) =>
    single !== undefined ? single : double !== undefined ? double.replace(/\\([\\"$`])/g, '$1') : (one ?? ''),
  );
}

function withoutPrefixes(words: Words): Words {
  const [first = '', second = ''] = words;
  if (PREFIXES.has(first) || /^\w+=/.test(first)) return withoutPrefixes(words.slice(1));
  return programName(first) === 'timeout' && /^\d/.test(second) ? withoutPrefixes(words.slice(2)) : words;
}

/** Quotes a word for a shell, where it needs that. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Options of a program, by name without dashes, and its other words. */
export interface ParsedWords {
  readonly options: ReadonlyMap<string, readonly string[]>;
  readonly operands: Words;
}

/** @param valued the options that take a value: letters, and long names */
export function parseWords(words: Words, valued: ReadonlySet<string>): ParsedWords {
  const options = new Map<string, string[]>();
  const operands: string[] = [];
  const put = (name: string, value = ''): void => void options.set(name, [...(options.get(name) ?? []), value]);
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') return { options, operands: [...operands, ...rest] };
    if (word.startsWith('--')) {
      const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      put(name, value ?? (valued.has(name) ? rest.shift() : undefined));
    } else if (word.startsWith('-') && word !== '-') {
      putCluster(word.slice(1), { valued, put, next: () => rest.shift() });
    } else {
      operands.push(word);
    }
  }
  return { options, operands };
}

function putCluster(
  letters: string,
  to: {
    readonly valued: ReadonlySet<string>;
    readonly put: (name: string, value?: string) => void;
    readonly next: () => string | undefined;
  },
): void {
  for (const [index, letter] of [...letters].entries()) {
    if (to.valued.has(letter)) {
      to.put(letter, letters.slice(index + 1) || to.next());
      return;
    }
    to.put(letter);
  }
}
