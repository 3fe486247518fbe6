import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { healthConfigFromFlags } from '../../health/flags.ts';
import { NO_RESTART } from '../../health/restart-policy.ts';
import { type Platform, parsePlatform } from '../../image/platform.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { type KeyValueFile, parseEnvFile } from '../../oci/env-file.ts';
import {
  parseEnv,
  parseLabel,
  parseSecurityOptions,
  parseSize,
  parseUlimit,
  type SecurityOptions,
  ULIMIT_NAMES,
} from '../../oci/parse.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';
import { attachedStreamsFrom, attachOptionSpec } from './attach.ts';
import { checkBy } from './check-by.ts';
import { healthFlagsFrom, healthOptionSpecs } from './health.ts';
import { limitOptionSpecs, limitsFrom, oomScoreFrom } from './limits.ts';
import { logConfigFrom, logOptionSpecs } from './log.ts';
import { namespaceOptionSpecs, namespacesFrom } from './namespaces.ts';
import { networkOptionSpecs, networkRequestFrom } from './network.ts';
import { readFileOfOption } from './option-file.ts';
import { platformOption } from './platform.ts';
import { restartOptionSpec, restartPolicyFrom } from './restart.ts';
import { CAPABILITY, FILE, SIGNAL, VARIABLE } from './values.ts';
import { mountOptionSpecs, mountsFrom } from './volumes.ts';

const PULL_POLICIES = ['always', 'missing', 'never'] as const;
export type PullPolicy = (typeof PULL_POLICIES)[number];

/** The options that `run` and `create` share, in Docker's words (docker/cli: cli/command/container/opts.go). */
export const createOptionSpecs: readonly OptionSpec[] = [
  { name: 'cap-add', type: 'list', help: 'Add Linux capabilities', complete: CAPABILITY },
  { name: 'cap-drop', type: 'list', help: 'Drop Linux capabilities', complete: CAPABILITY },
  { name: 'cidfile', type: 'string', help: 'Write the container ID to the file', complete: FILE },
  { name: 'domainname', type: 'string', help: 'Container NIS domain name' },
  { name: 'entrypoint', type: 'string', help: 'Overwrite the default ENTRYPOINT of the image' },
  {
    name: 'env',
    short: 'e',
    type: 'list',
    help: 'Set environment variables',
    check: checkBy((text) => parseEnv(text, {})),
    complete: VARIABLE,
  },
  { name: 'env-file', type: 'list', help: 'Read in a file of environment variables', complete: FILE },
  { name: 'group-add', type: 'list', help: 'Add additional groups to join' },
  ...healthOptionSpecs,
  { name: 'hostname', short: 'h', type: 'string', help: 'Container host name' },
  {
    name: 'init',
    type: 'bool',
    help: 'Run an init inside the container that forwards signals and reaps processes (needs tini-static or docker-init)',
  },
  { name: 'interactive', short: 'i', type: 'bool', help: 'Keep STDIN open even if not attached' },
  { name: 'label', short: 'l', type: 'list', help: 'Set meta data on a container', check: checkBy(parseLabel) },
  { name: 'label-file', type: 'list', help: 'Read in a line delimited file of labels', complete: FILE },
  ...logOptionSpecs,
  { name: 'name', type: 'string', help: 'Assign a name to the container' },
  ...networkOptionSpecs,
  {
    name: 'pidfile',
    type: 'string',
    help: "Write the process ID of the container's main process to the file, at each start",
    complete: FILE,
  },
  platformOption('Set platform if the image is for several, e.g. linux/386; one that this host cannot run is refused'),
  { name: 'privileged', type: 'bool', help: 'Give extended privileges to this container' },
  {
    name: 'pull',
    type: 'string',
    help: 'Pull image before creating ("always", "missing", "never")',
    default: 'missing',
    complete: { words: PULL_POLICIES },
  },
  { name: 'quiet', short: 'q', type: 'bool', help: 'Suppress the pull output' },
  { name: 'read-only', type: 'bool', help: "Mount the container's root filesystem as read only" },
  restartOptionSpec,
  { name: 'rm', type: 'bool', help: 'Remove the container when it exits' },
  {
    name: 'runtime',
    type: 'string',
    help: 'OCI runtime to use: runc, crun, or a path',
    complete: { words: ['runc', 'crun'], paths: 'file' },
  },
  {
    name: 'security-opt',
    type: 'list',
    help: 'Security options: no-new-privileges, seccomp=FILE|unconfined, apparmor=NAME|unconfined',
    complete: {
      words: ['no-new-privileges'],
      after: { 'seccomp=': { words: ['unconfined'], paths: 'file' }, 'apparmor=': { words: ['unconfined'] } },
    },
  },
  { name: 'shm-size', type: 'string', value: 'bytes', help: 'Size of /dev/shm', check: checkBy(parseSize) },
  { name: 'stop-signal', type: 'string', help: 'Signal to stop the container', complete: SIGNAL },
  { name: 'stop-timeout', type: 'int', help: 'Timeout (in seconds) to stop a container' },
  { name: 'tty', short: 't', type: 'bool', help: 'Allocate a pseudo-TTY' },
  {
    name: 'ulimit',
    type: 'list',
    value: 'ulimit',
    help: 'Ulimit options',
    check: checkBy(parseUlimit),
    complete: { words: ULIMIT_NAMES.map((name) => `${name}=`) },
  },
  { name: 'user', short: 'u', type: 'string', help: 'Username or UID (format: <name|uid>[:<group|gid>])' },
  ...mountOptionSpecs,
  ...limitOptionSpecs,
  ...namespaceOptionSpecs,
  attachOptionSpec,
  { name: 'workdir', short: 'w', type: 'string', help: 'Working directory inside the container' },
];

/** Throws USAGE with Docker's text for a policy together with `--rm`. */
function restartFrom(options: ParsedOptions): CreateRequest['restart'] {
  const policy = restartPolicyFrom(options) ?? NO_RESTART;
  if (policy.name !== 'no' && options.bool('rm'))
    throw new HealthctlError('USAGE', 'conflicting options: cannot specify both --restart and --rm');
  return policy;
}

export interface CreateOptions {
  readonly request: CreateRequest;
  readonly pull: PullPolicy;
  readonly quiet: boolean;
  /** `--volumes-from`. */
  readonly volumesFrom: readonly string[];
  readonly cidfile: string | undefined;
  readonly platform: Platform | undefined;
}

/** Base of relative paths, and environment for `-e NAME`. */
export interface Caller {
  readonly cwd: () => string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The network of containers without `--network`. */
  readonly defaultNetwork: string;
  /** Ends the wait for a file that is a pipe. */
  readonly signal: AbortSignal;
}

/** Reads the options of `run` and `create`, and the files that they name. Throws USAGE and CONFIG in Docker's words. */
export async function createOptionsFrom(
  options: ParsedOptions,
  args: readonly string[],
  caller: Caller & { /** `run -d` */ readonly detach: boolean },
): Promise<CreateOptions> {
  const [image = '', ...command] = args;
  const pull = options.string('pull') ?? 'missing';
  const policy = PULL_POLICIES.find((known) => known === pull);
  if (!policy)
    throw new HealthctlError('USAGE', `invalid pull option: '${pull}': must be one of "always", "missing" or "never"`);
  const [cidfile, platform] = [options.string('cidfile'), options.string('platform')];
  if (cidfile && existsSync(cidfile)) {
    throw new HealthctlError(
      'USAGE',
      `container ID file found, make sure the other container isn't running or delete ${cidfile}`,
    );
  }
  return {
    request: await requestFrom(options, { image, command, caller, detach: caller.detach }),
    pull: policy,
    quiet: options.bool('quiet'),
    volumesFrom: options.list('volumes-from'),
    cidfile,
    platform: platform === undefined ? undefined : parsePlatform(platform),
  };
}

async function requestFrom(
  options: ParsedOptions,
  from: { image: string; command: readonly string[]; caller: Caller; detach: boolean },
): Promise<CreateRequest> {
  const { image, command, caller } = from;
  const parsed = <K extends string, V>(key: K, name: string, parse: (text: string) => V): { readonly [P in K]?: V } => {
    const text = options.string(name);
    return (text === undefined || text === '' ? {} : { [key]: parse(text) }) as { readonly [P in K]?: V };
  };
  const text = <K extends string>(key: K, name: string) => parsed(key, name, (value) => value);
  const entrypoint = options.string('entrypoint');
  const stopTimeoutS = options.int('stop-timeout');
  const pidfile = options.string('pidfile');
  const attach = attachedStreamsFrom(options, from.detach);
  const network = networkRequestFrom(options, caller.defaultNetwork);
  return {
    image,
    command,
    ...text('name', 'name'),
    ...text('hostname', 'hostname'),
    ...text('domainname', 'domainname'),
    env: await environmentFrom(options, caller),
    labels: await labelsFrom(options, caller.signal),
    ...mountsFrom(options, caller.cwd),
    ...text('workingDir', 'workdir'),
    ...text('user', 'user'),
    groupAdd: options.list('group-add'),
    ...(entrypoint === undefined ? {} : { entrypoint: [entrypoint] }),
    readOnly: options.bool('read-only'),
    capAdd: options.list('cap-add'),
    capDrop: options.list('cap-drop'),
    privileged: options.bool('privileged'),
    security: await securityFrom(options, caller.signal),
    ...network,
    ...text('stopSignal', 'stop-signal'),
    ...(stopTimeoutS === undefined ? {} : { stopTimeoutS }),
    init: options.bool('init'),
    limits: limitsFrom(options, { oom: true }),
    oomScoreAdj: oomScoreFrom(options),
    ...namespacesFrom(options, network.network === 'host'),
    ...(pidfile ? { pidfile: isAbsolute(pidfile) ? pidfile : resolve(caller.cwd(), pidfile) } : {}),
    attach,
    ulimits: options.list('ulimit').map(parseUlimit),
    ...parsed('shmSize', 'shm-size', parseSize),
    ...text('runtime', 'runtime'),
    tty: options.bool('tty'),
    openStdin: options.bool('interactive'),
    stdinOnce: options.bool('interactive') && attach.stdin,
    autoRemove: options.bool('rm'),
    health: healthConfigFromFlags(await healthFlagsFrom(options, caller.signal)),
    restart: restartFrom(options),
    log: logConfigFrom(options),
  };
}

/** Files first, so that `-e` wins, as in Docker. */
export async function environmentFrom(
  options: ParsedOptions,
  { env, signal }: Pick<Caller, 'env' | 'signal'>,
): Promise<readonly string[]> {
  const ofFiles = await readFiles(options.list('env-file'), signal);
  return [
    ...ofFiles.flatMap((file) => parseEnvFile(file, env)),
    ...options.list('env').map((text) => parseEnv(text, env)),
  ];
}

async function labelsFrom(options: ParsedOptions, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const ofFiles = await readFiles(options.list('label-file'), signal);
  const texts = [...ofFiles.flatMap((file) => parseEnvFile(file)), ...options.list('label')];
  return Object.fromEntries(texts.map(parseLabel));
}

/** One after another: several may be the same terminal. */
async function readFiles(names: readonly string[], signal: AbortSignal): Promise<readonly KeyValueFile[]> {
  const files: KeyValueFile[] = [];
  for (const name of names) files.push({ name, content: await readFileOfOption(name, signal) });
  return files;
}

async function securityFrom(options: ParsedOptions, signal: AbortSignal): Promise<SecurityOptions> {
  const security = parseSecurityOptions(options.list('security-opt'));
  const { seccomp } = security;
  if (seccomp === undefined || seccomp === 'unconfined') return security;
  const content = await readFileOfOption(seccomp, signal, `opening seccomp profile (${seccomp}) failed: `);
  return { ...security, seccompProfile: content.toString('utf8') };
}
