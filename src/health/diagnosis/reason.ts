import type { CheckKind } from '../config.ts';
import { KILLED_EXIT_CODE, type Result } from '../result.ts';
import { programName, simpleCommands } from './command-line.ts';
import { type Target, targetOf } from './target.ts';

/** Why one check failed, as far as its result tells. */
export type Reason =
  /** The command needs /bin/sh. */
  | { readonly kind: 'no-shell' }
  /** @see program undefined if the output does not name it */
  | { readonly kind: 'no-program'; readonly program: string | undefined }
  | { readonly kind: 'not-executable'; readonly program: string | undefined }
  | { readonly kind: 'no-command' }
  | { readonly kind: 'timed-out' }
  /** The runtime did not start the command in time. */
  | { readonly kind: 'start-timed-out' }
  | { readonly kind: 'refused'; readonly target: Target | undefined }
  | { readonly kind: 'unknown-host'; readonly host: string | undefined }
  | { readonly kind: 'http-status'; readonly status: number }
  | { readonly kind: 'speaks-tls' }
  | { readonly kind: 'killed' }
  | { readonly kind: 'other'; readonly exitCode: number };

/** Undefined for a check that passed. Never throws, whatever the output is. */
export function reasonOf({ exitCode, output }: Result, kind: CheckKind): Reason | undefined {
  if (exitCode === 0) return undefined;
  const text = output.slice(0, MAX_CHARACTERS);
  const isCommand = kind.kind === 'exec' || kind.kind === 'no-command';
  return (
    startFailureIn(text, exitCode) ??
    (isCommand ? missingProgramIn(text, exitCode, kind) : undefined) ??
    networkFailureIn(text, kind) ??
    (exitCode === KILLED_EXIT_CODE ? { kind: 'killed' } : { kind: 'other', exitCode })
  );
}

const MAX_CHARACTERS = 4_200;

/** The texts of healthctl, Docker and the OCI runtimes about a command that returned no exit code. */
function startFailureIn(text: string, exitCode: number): Reason | undefined {
  if (exitCode !== -1) return undefined;
  if (text.startsWith('Health check exceeded timeout')) return { kind: 'timed-out' };
  if (text.startsWith('timed out starting health check')) return { kind: 'start-timed-out' };
  if (/^healthcheck for container \S+ has no command/.test(text)) return { kind: 'no-command' };
  const program = runtimeProgramIn(text);
  if (program === undefined) return undefined;
  if (/permission denied/i.test(text)) return { kind: 'not-executable', program };
  if (!/no such file or directory|not found/i.test(text)) return undefined;
  return program === '/bin/sh' ? { kind: 'no-shell' } : { kind: 'no-program', program };
}

/**
 * runc: `exec: "curl": executable file not found`, `exec: "/bin/sh": stat …`; crun: ``executable file `curl` not
 * found``.
 */
function runtimeProgramIn(text: string): string | undefined {
  const [, runc, crun] = /\bexec: "([^"]{1,200})"|executable file [`'"]([^`'"]{1,200})[`'"]/.exec(text) ?? [];
  return runc ?? crun;
}

/**
 * The exit codes of a shell: 127 for a missing program, 126 for one that cannot be executed. `|| exit 1` hides them.
 */
function missingProgramIn(text: string, exitCode: number, kind: CheckKind): Reason | undefined {
  const known = kind.kind === 'exec' ? programsOf(kind.args) : [];
  const missing = NOT_FOUND.map((pattern) => pattern.exec(text)?.[1]).find((name) => name !== undefined);
  const isOurs = missing !== undefined && (exitCode === 127 || known.includes(programName(missing)));
  if (isOurs) return { kind: 'no-program', program: missing };
  const [, denied] = /(?:^|[:\s])([^\s:]{1,200}): Permission denied\s*$/im.exec(text) ?? [];
  if (exitCode === 126) return { kind: 'not-executable', program: denied };
  return exitCode === 127 ? { kind: 'no-program', program: undefined } : undefined;
}

const NOT_FOUND: readonly RegExp[] = [
  /(?:^|: )([^\s:]{1,200}): (?:command )?not found\s*$/m,
  /(?:^|: )([^\s:]{1,200}): No such file or directory\s*$/m,
  /command not found: (\S{1,200})/,
];

const programsOf = (args: readonly string[]): readonly string[] =>
  simpleCommands(args).map(([program = '']) => programName(program));

const REFUSED = /connection refused|ECONNREFUSED|couldn't connect to server|^\S+:\d+ - no response/im;
const UNKNOWN_HOST =
  /could(?: not|n't) resolve host:? ['"]?([\w.-]+)|bad address '([^']+)'|unable to resolve host address ['"‘]?([\w.-]+)|the host (\S+) is neither|getaddrinfo \w+ (\S+)|lookup (\S+)[^\n]*no such host/i;

function networkFailureIn(text: string, kind: CheckKind): Reason | undefined {
  if (/speaks TLS, and was asked without it|wrong version number|HTTP request to an HTTPS server/i.test(text))
    return { kind: 'speaks-tls' };
  const status = statusIn(text, kind);
  if (status !== undefined) return { kind: 'http-status', status };
  if (REFUSED.test(text)) return { kind: 'refused', target: targetOf(kind, text) };
  const unknown = UNKNOWN_HOST.exec(text);
  if (unknown) return { kind: 'unknown-host', host: unknown.slice(1).find((host) => host !== undefined) };
  return undefined;
}

const STATUSES: readonly RegExp[] = [
  /requested URL returned error: ([1-5]\d\d)\b/, // curl
  /server returned error: HTTP\/\d(?:\.\d)? ([1-5]\d\d)\b/, // busybox's wget
  /\bERROR ([1-5]\d\d): /, // GNU wget
  /awaiting response\.\.\. ([1-5]\d\d)\b/,
  /^\s*HTTP\/\d(?:\.\d)? ([1-5]\d\d)\b/m,
];

/** The status that a server answered: in the forms of our own probe, curl and wget. */
function statusIn(text: string, kind: CheckKind): number | undefined {
  if (kind.kind === 'http') {
    const [, status] = /^HTTP ([1-5]\d\d)\b/.exec(text) ?? [];
    return status === undefined ? undefined : Number(status);
  }
  const status = STATUSES.map((pattern) => pattern.exec(text)?.[1]).find((code) => code !== undefined);
  return kind.kind === 'exec' && status !== undefined && Number(status) >= 300 ? Number(status) : undefined;
}
