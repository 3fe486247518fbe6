import { HealthctlError } from '../lib/errors.ts';
import { isAbsolute } from './paths.ts';

/** The first variable in the environment of every Linux container, as in Docker. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Where `--init` finds its tini inside the container. */
export const INIT_PATH = '/sbin/docker-init';

export interface ArgsOptions {
  /** `config.Entrypoint` and `config.Cmd` of the image. */
  readonly imageEntrypoint: readonly string[];
  readonly imageCmd: readonly string[];
  /** Instead of the image's: `['']` is none, undefined keeps it. */
  readonly entrypoint: readonly string[] | undefined;
  /** The arguments after the image on the command line. */
  readonly command: readonly string[];
}

/**
 * The command line of a container: entrypoint plus command. The image's command is used only if neither was given, as
 * in Docker (moby daemon/commit.go, merge); an empty list is no entrypoint, and keeps the image's command. Throws
 * INVALID `no command specified`.
 */
export function resolveArgs(options: ArgsOptions): readonly string[] {
  const { imageEntrypoint, imageCmd, entrypoint, command } = options;
  const own = entrypoint ?? imageEntrypoint;
  const isReset = own.length === 1 && own[0] === '';
  const first = isReset ? [] : own;
  const rest = command.length > 0 || (entrypoint?.length ?? 0) > 0 ? command : imageCmd;
  const args = [...first, ...rest];
  if (args.length === 0) {
    throw new HealthctlError('INVALID', 'no command specified', {
      hint: 'the image names no command: give one after it, e.g. `run IMAGE sh`',
    });
  }
  return args;
}

export interface EnvOptions {
  readonly image: readonly string[];
  /** `-e` and the lines of `--env-file`, in order: `NAME=value`, or `NAME` alone to remove it. */
  readonly given: readonly string[];
  readonly hostname: string;
  readonly terminal: boolean;
}

/**
 * The environment of a container: defaults (PATH, HOSTNAME, TERM with a terminal), then the image's, then the given
 * variables; a later one replaces an earlier one in place (moby container/env.go). A name without `=` removes it.
 */
export function resolveEnv(options: EnvOptions): readonly string[] {
  const merged = new Map<string, string>([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', options.hostname],
  ]);
  if (options.terminal) merged.set('TERM', 'xterm');
  for (const variable of [...options.image, ...options.given]) {
    const equals = variable.indexOf('=');
    if (equals === -1) merged.delete(variable);
    else merged.set(variable.slice(0, equals), variable.slice(equals + 1));
  }
  return [...merged].map(([name, value]) => `${name}=${value}`);
}

/**
 * The environment that Docker's documents show: the given variables, then those of the image that they do not replace,
 * then the default PATH (moby: daemon/commit.go, merge; daemon/container.go). A name without `=` removes one.
 */
export function shownEnv(given: readonly string[], image: readonly string[]): readonly string[] {
  const nameOf = (variable: string): string => variable.split('=', 1)[0] ?? '';
  const names = new Set(given.map(nameOf));
  const all = [...given, ...image.filter((one) => !names.has(nameOf(one)))];
  return all.some((variable) => nameOf(variable) === 'PATH') || names.has('PATH')
    ? all
    : [...all, `PATH=${DEFAULT_PATH}`];
}

/** `-w`, else the image's, else `/`. Throws INVALID for a relative one. */
export function resolveCwd(given: string | undefined, image: string | undefined): string {
  const cwd = given || image || '/';
  if (!isAbsolute(cwd)) {
    throw new HealthctlError('INVALID', `the working directory '${cwd}' is invalid, it needs to be an absolute path`);
  }
  return cwd;
}
