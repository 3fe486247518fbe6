import { formatDuration } from '../../go/duration.ts';
import type { CheckConfig } from '../config.ts';
import { isPlainCommand, programName, shellTextOf, shellWord, simpleCommands, type Words } from './command-line.ts';
import type { Finding } from './diagnose.ts';
import { nativeOptions } from './native-options.ts';
import { hasStandIn, shownEndpoint } from './stand-in.ts';
import { isLoopback } from './target.ts';

/** What a finding means, and what to do. Sentences without a full stop. */
export interface Advice {
  readonly what: string;
  readonly remedy: string;
  /** The exact command line that does it, where there is one. */
  readonly command?: string;
}

/** What advice depends on besides its finding. */
export interface AdviceContext {
  readonly config: CheckConfig;
  readonly name: string;
  /** The beginning of command lines, e.g. `['healthctl', '--namespace', 'k8s.io']`. */
  readonly program: Words;
  /** Formats bytes. */
  readonly sizeText: (bytes: number) => string;
}

export function adviceFor(finding: Finding, context: AdviceContext): Advice {
  const text = TEXTS[finding.kind] as (of: Finding, context: AdviceContext) => Advice;
  return text(finding, context);
}

type Kind = Finding['kind'];
type FindingOf<K extends Kind> = Extract<Finding, { readonly kind: K }>;

const TEXTS: { readonly [K in Kind]: (finding: FindingOf<K>, context: AdviceContext) => Advice } = {
  'no-shell': (_, context) => ({
    what: 'the image has no shell, and the command needs /bin/sh',
    ...standIn(context, 'healthctl can ask the server itself'),
    ...(nativeOptions(context.config) ? {} : withoutShell(context)),
  }),
  'no-program': ({ program }, context) => ({
    what:
      program === undefined ? 'the command runs a program that the image does not have' : `the image has no ${program}`,
    ...standIn(context, 'healthctl can ask the server itself', programRemedy(program)),
  }),
  'not-executable': ({ program }) => ({
    what: `${program ?? 'the program'} cannot be executed by the user of the container`,
    remedy: 'make it executable in the image, for example with chmod 755',
  }),
  'no-command': () => ({
    what: 'the test is ["CMD"] without a command',
    remedy: 'give a command with update --health-cmd',
  }),
  'timed-out': ({ timeoutMs, usualMs, longerMs }, context) => ({
    what: `the check exceeded its timeout of ${duration(timeoutMs)}${usualMs === undefined ? '' : `; one that passes takes ${duration(usualMs)}`}`,
    remedy: 'give it more time, or run the command by hand and see what it waits for',
    command: update(context, ['--health-timeout', duration(longerMs)]),
  }),
  'start-timed-out': (_, context) => ({
    what: 'the runtime took more than 30s to start the command: the host is overloaded',
    remedy: 'use a check that starts no process each time',
    command: update(context, nativeOptions(context.config) ?? ['--health-exec', 'resident']),
  }),
  refused: refusedAdvice,
  'other-address': otherAddressAdvice,
  'listens-now': ({ target }, context) => ({
    what: `the connection to ${shownEndpoint(target)} was refused, and something listens there now`,
    remedy: 'the server was still starting, or had stopped for a moment: check again',
    command: line(context, ['healthcheck', 'run', context.name]),
  }),
  'unknown-host': ({ host }) => ({
    what: `the container cannot look up ${host ?? 'the host'}`,
    remedy: 'ask localhost or an address, or create the container again with --add-host',
  }),
  denied: ({ status }, context) => ({
    what: `the server answers and wants a login (HTTP ${status})`,
    remedy: `accept the status, if the answer is proof enough, or give the check a login: --health-http-header 'Authorization: …'`,
    ...accepting(status, context),
  }),
  redirected: ({ status }, context) => ({
    what: `the server redirects the request (HTTP ${status}), and the check does not follow`,
    remedy: 'ask the address that it leads to, or accept the status',
    ...accepting(status, context),
  }),
  'no-page': ({ status }) => ({
    what: `the server answers and has no such page (HTTP ${status})`,
    remedy: 'ask a path that it has',
  }),
  'wrong-status': ({ status }, context) => ({
    what: `the server answers that it is not well (HTTP ${status})`,
    remedy: 'look at the output of the application',
    command: logs(context),
  }),
  'speaks-tls': (_, context) => ({
    what: 'the server speaks TLS, and the check asks without it',
    remedy: 'ask with TLS',
    ...updating(context, nativeOptions(context.config, { tls: true })),
  }),
  killed: () => ({
    what: 'the check was killed, and not for lack of memory',
    remedy: 'look for what kills it: a program in the container, or a limit of the command itself',
  }),
  'out-of-memory': ({ limitBytes }, context) => ({
    what: `the check was killed for lack of memory${limitText(limitBytes, context)}`,
    ...standIn(context, `use a check that needs no process in the container, or ${MORE_MEMORY}`, MORE_MEMORY),
  }),
  other: otherAdvice,
  'near-timeout': ({ timeoutMs, longestMs, longerMs }, context) => ({
    what: `a check that passed took ${duration(longestMs)} of its timeout of ${duration(timeoutMs)}: on a busy host it will fail`,
    remedy: 'give it more time',
    command: update(context, ['--health-timeout', duration(longerMs)]),
  }),
  'short-start-period': ({ startPeriodMs, tookMs, needMs, isStarting }, context) => ({
    what: `the start period of ${duration(startPeriodMs)} is too short: this container took ${duration(tookMs)} to become healthy${isStarting ? ', and is still starting' : ''}`,
    remedy: 'give its start more time',
    command: update(context, ['--health-start-period', duration(needMs)]),
  }),
  'ran-out-of-memory': ({ limitBytes }, context) => ({
    what: `the kernel killed a process of the container for lack of memory${limitText(limitBytes, context)}`,
    remedy: MORE_MEMORY,
  }),
};

const MORE_MEMORY = 'create the container again with a larger --memory';

function refusedAdvice({ target, ports }: FindingOf<'refused'>, context: AdviceContext): Advice {
  const see = { remedy: STARTS, command: logs(context) };
  if (!target) return { what: 'the server refused the connection', ...see };
  if (!ports) return { what: `the connection to ${shownEndpoint(target)} was refused`, ...see };
  const what = `nothing listens on port ${target.port} in the container`;
  if (ports.length === 0) return { what, ...see };
  const [port, ...more] = ports;
  const options = port === undefined || more.length > 0 ? undefined : nativeOptions(context.config, { port });
  return {
    what: `${what}, but on ${ports.slice(0, 8).join(', ')}`,
    remedy: 'ask the port on which the server listens',
    ...updating(context, options),
  };
}

const STARTS =
  'see in its output whether the server runs; if it starts slowly, give it a start period with update --health-start-period';

function otherAddressAdvice({ target, addresses }: FindingOf<'other-address'>, context: AdviceContext): Advice {
  const asked = target.addresses.length > 0 ? target.addresses.join(' and ') : target.host;
  const what = `the server listens on ${addresses.join(', ')} port ${target.port}, and the check asks ${asked}`;
  const host = addresses.find((address) => address === '127.0.0.1') ?? addresses.find(isLoopback);
  if (host === undefined) return { what, remedy: 'have the server listen on all addresses (0.0.0.0, or ::)' };
  const remedy = 'ask the address on which it listens, or have the server listen on all addresses';
  return { what, remedy, ...updating(context, nativeOptions(context.config, { host })) };
}

function otherAdvice({ exitCode }: FindingOf<'other'>, context: AdviceContext): Advice {
  const { kind } = context.config;
  if (kind.kind !== 'exec')
    return { what: 'the check failed', remedy: 'look at the output of the application', command: logs(context) };
  return {
    what: exitCode === -1 ? 'the command could not be run' : `the command failed with exit code ${exitCode}`,
    remedy: 'run it by hand, as the check does',
    command: line(context, ['exec', context.name, ...kind.args]),
  };
}

function programRemedy(program: string | undefined): string {
  const isClient = program !== undefined && hasStandIn(programName(program));
  return isClient
    ? 'have healthctl ask the server itself: --health-http URL, --health-tcp or --health-grpc HOST:PORT of update'
    : 'use a program that the image has, or a check that needs none: --health-http, --health-tcp or --health-grpc of update';
}

/** A text that needs no shell becomes an array. */
function withoutShell(context: AdviceContext): Pick<Advice, 'remedy' | 'command'> {
  const { kind } = context.config;
  const text = kind.kind === 'exec' ? shellTextOf(kind.args) : undefined;
  const [words, ...others] = kind.kind === 'exec' ? simpleCommands(kind.args) : [];
  if (text !== undefined && isPlainCommand(text) && words && others.length === 0)
    return {
      remedy: 'give the command as an array, which runs without a shell',
      command: update(context, ['--health-cmd', JSON.stringify(words)]),
    };
  return { remedy: 'give a program of the image as an array, --health-cmd \'["/app","--check"]\', or a native check' };
}

/** The native check in place of the command. @param otherwise the remedy if there is none */
function standIn(context: AdviceContext, remedy: string, otherwise = remedy): Pick<Advice, 'remedy' | 'command'> {
  const options = context.config.kind.kind === 'exec' ? nativeOptions(context.config) : undefined;
  return options ? { remedy, command: update(context, options) } : { remedy: otherwise };
}

const accepting = (status: number, context: AdviceContext): Pick<Advice, 'command'> =>
  updating(context, isHttp(context.config) ? nativeOptions(context.config, { status }) : undefined);

const isHttp = (config: CheckConfig): boolean => nativeOptions(config)?.[0] === '--health-http';

const updating = (context: AdviceContext, options: Words | undefined): Pick<Advice, 'command'> =>
  options ? { command: update(context, options) } : {};

const update = (context: AdviceContext, options: Words): string => line(context, ['update', ...options, context.name]);

const logs = (context: AdviceContext): string => line(context, ['logs', '--tail', '20', context.name]);

const line = ({ program }: AdviceContext, words: Words): string => [...program, ...words].map(shellWord).join(' ');

const limitText = (bytes: number | undefined, { sizeText }: AdviceContext): string =>
  bytes === undefined ? '' : `: its limit is ${sizeText(bytes)}`;

/** Three digits are enough for people; `1m`, not Go's `1m0s`. */
function duration(ms: number): string {
  const step = ms < 1_000 ? 1 : ms < 10_000 ? 10 : ms < 60_000 ? 100 : 1_000;
  const text = formatDuration(BigInt(Math.round(ms / step) * step) * 1_000_000n);
  return text.replace(/(?<=m)0s$/, '').replace(/(?<=h)0m$/, '');
}
