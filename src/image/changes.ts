import { parseDuration } from '../go/duration.ts';
import { HealthctlError, messageOf } from '../lib/errors.ts';
import { isTexts, type JsonObject, parseJsonText } from '../lib/shape.ts';

/** The `config` object of an image, with Docker's keys. */
export type ImageConfigObject = JsonObject;

/**
 * Applies instructions of a Dockerfile to an image's config, as the option `--change` of `docker import` and `docker
 * commit` does (moby, builder/dockerfile BuildFromConfig). Variables of the image's environment are expanded where a
 * Dockerfile expands them.
 *
 * @param changes each with one or more lines
 * @throws INVALID with Docker's text for another instruction, or a wrong value
 */
export function applyChanges(config: ImageConfigObject, changes: readonly string[]): ImageConfigObject {
  const lines = changes.flatMap((text) => text.replace(/\\\r?\n/g, ' ').split('\n'));
  let changed = config;
  for (const line of lines) {
    const [, word = '', rest = ''] = /^\s*(\S+)\s*(.*?)\s*$/s.exec(line) ?? [];
    if (word === '' || word.startsWith('#')) continue;
    const name = word.toUpperCase();
    const apply = Object.hasOwn(INSTRUCTIONS, name) ? INSTRUCTIONS[name] : undefined;
    if (!apply) throw invalid(`${word} is not a valid change command`);
    if (rest === '') throw invalid(`${name} requires at least one argument`);
    const expanded = EXPANDED.has(name) ? expandVariables(rest, changed.Env) : rest;
    changed = { ...changed, ...apply(expanded, changed) };
  }
  return changed;
}

/** Of the others the program sees the variables itself. */
const EXPANDED: ReadonlySet<string> = new Set(['ENV', 'EXPOSE', 'LABEL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR']);

/** `$NAME`, `${NAME}`; `\\$` is a dollar. An unknown variable is empty. */
function expandVariables(text: string, env: unknown): string {
  const values = new Map((isTexts(env) ? env : []).map((entry) => [entry.split('=', 1)[0] ?? '', entry]));
  const expand = (name: string): string => values.get(name)?.slice(name.length + 1) ?? '';
  return text.replace(/\\\$|\$(?:(\w+)|\{(\w+)\})/g, (whole, bare?: string, braced?: string) =>
    whole === '\\$' ? '$' : expand(bare ?? braced ?? ''),
  );
}

type Instruction = (rest: string, config: ImageConfigObject) => ImageConfigObject;

const INSTRUCTIONS: Readonly<Record<string, Instruction>> = {
  CMD: (rest) => ({ Cmd: commandFrom(rest) }),
  ENTRYPOINT: (rest) => ({ Entrypoint: commandFrom(rest) }),
  ENV: (rest, { Env }) => {
    const added = pairsFrom('ENV', rest);
    const kept = (isTexts(Env) ? Env : []).filter((entry) => !added.some(([key]) => entry.startsWith(`${key}=`)));
    return { Env: [...kept, ...added.map(([key, value]) => `${key}=${value}`)] };
  },
  EXPOSE: (rest, { ExposedPorts }) => ({ ExposedPorts: { ...objectOf(ExposedPorts), ...keysOf(rest, portFrom) } }),
  HEALTHCHECK: (rest) => ({ Healthcheck: healthcheckFrom(rest) }),
  LABEL: (rest, { Labels }) => ({ Labels: { ...objectOf(Labels), ...Object.fromEntries(pairsFrom('LABEL', rest)) } }),
  ONBUILD: (rest, { OnBuild }) => ({ OnBuild: [...(isTexts(OnBuild) ? OnBuild : []), rest] }),
  STOPSIGNAL: (rest) => ({ StopSignal: rest }),
  USER: (rest) => ({ User: rest }),
  VOLUME: (rest, { Volumes }) => {
    const paths = jsonTexts(rest) ?? wordsOf(rest);
    return { Volumes: { ...objectOf(Volumes), ...Object.fromEntries(paths.map((path) => [path, {}])) } };
  },
  WORKDIR: (rest, { WorkingDir }) => {
    const base = typeof WorkingDir === 'string' && WorkingDir !== '' ? WorkingDir : '/';
    return { WorkingDir: rest.startsWith('/') ? rest : `${base.replace(/\/$/, '')}/${rest}` };
  },
};

const objectOf = (value: unknown): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

const keysOf = (rest: string, keyFrom: (word: string) => string) =>
  Object.fromEntries(wordsOf(rest).map((word) => [keyFrom(word), {}]));

/** A list in JSON, else a line for the shell. */
const commandFrom = (rest: string) => jsonTexts(rest) ?? ['/bin/sh', '-c', rest];

function jsonTexts(text: string): readonly string[] | undefined {
  const value = text.startsWith('[') ? parseJsonText(text) : undefined;
  return isTexts(value) ? value : undefined;
}

function portFrom(word: string): string {
  const [, port, protocol = 'tcp'] = /^(\d{1,5}(?:-\d{1,5})?)(?:\/(tcp|udp|sctp))?$/i.exec(word) ?? [];
  if (port === undefined) throw invalid(`invalid containerPort: ${word}`);
  return `${port}/${protocol.toLowerCase()}`;
}

/** `KEY=VALUE KEY2="more words"`, or the old `KEY words to the end`. */
function pairsFrom(name: string, rest: string): readonly (readonly [string, string])[] {
  const words = wordsOf(rest);
  if (!words[0]?.includes('=')) {
    const [, key = '', value] = /^(\S+)\s+(.*)$/s.exec(rest) ?? [];
    if (value === undefined) throw invalid(`${name} must have two arguments`);
    return [[key, value]];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0) throw invalid(`Syntax error - can't find = in "${word}". Must be of the form: name=value`);
    if (equals === 0) throw invalid(`${name} names can not be blank`);
    return [word.slice(0, equals), word.slice(equals + 1)] as const;
  });
}

/** Words with the quotes of a shell taken off. */
function wordsOf(text: string): readonly string[] {
  const word = /(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/gs;
  return [...text.matchAll(word)].map(([whole]) =>
    whole.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/gs, (_, double?: string, single?: string, escaped?: string) =>
      double === undefined ? (single ?? escaped ?? '') : double.replace(/\\(["\\$])/g, '$1'),
    ),
  );
}

const HEALTH_OPTIONS: Readonly<Record<string, string>> = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
};

/** `[--interval=5s …] CMD …`, or `NONE`. Durations are nanoseconds, as in an image. */
function healthcheckFrom(rest: string): JsonObject {
  if (/^none$/i.test(rest)) return { Test: ['NONE'] };
  const [, options = '', command] = /^((?:--\S+\s+)*)CMD\s+(.*)$/is.exec(rest) ?? [];
  if (command === undefined) throw invalid('Missing command after HEALTHCHECK: it must be CMD, or NONE alone');
  const json = jsonTexts(command);
  const check: Record<string, unknown> = { Test: json ? ['CMD', ...json] : ['CMD-SHELL', command] };
  for (const option of options.split(/\s+/).filter((word) => word !== '')) {
    const [, name = '', value = ''] = /^--([^=]+)=?(.*)$/.exec(option) ?? [];
    const key = Object.hasOwn(HEALTH_OPTIONS, name) ? HEALTH_OPTIONS[name] : undefined;
    if (key !== undefined) check[key] = nanosecondsFrom(name, value);
    else if (name === 'retries' && /^\d{1,9}$/.test(value)) check.Retries = Number(value);
    else throw invalid(`HEALTHCHECK: unknown or wrong flag: ${option}`);
  }
  return check;
}

function nanosecondsFrom(name: string, value: string): number {
  try {
    return Number(parseDuration(value));
  } catch (error) {
    throw invalid(`HEALTHCHECK: --${name}: ${messageOf(error)}`);
  }
}

const invalid = (message: string) => new HealthctlError('INVALID', message);
