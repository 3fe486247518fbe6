import { spawn } from 'node:child_process';
import { closeSync, constants, realpathSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { commit, version } from '../lib/build-info.ts';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Settings } from '../lib/settings.ts';
import { as, isNumber, isText, isTexts, objectOf } from '../lib/shape.ts';
import { lockFile } from '../system/flock.ts';
import { makeOwnDirectory, openOwnFile, readOwnText } from '../system/own-file.ts';
import { startPlainly } from '../system/plain-start.ts';
import { TOOL_DIRS } from '../system/programs.ts';
import { realPath } from '../system/real-path.ts';
import { createDaemonClient, type DaemonClient } from './api/client.ts';
import { REQUESTS } from './api/requests.ts';
import { type DaemonPaths, daemonPathsOf } from './daemon-paths.ts';
import { awaitMonitor, drainDaemon } from './drain.ts';
import { silentMonitorError } from './lock-holder.ts';
import { conflictWith, findClaimHolder } from './monitor-claim.ts';
import { configFileOf, NODE_ENVIRONMENT, NODE_FLAGS } from './node-process.ts';
import { isReplacedBy } from './replacement.ts';

export interface AutostartDeps {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The running program: bin/healthctl. */
  readonly program: string;
  /**
   * Starts it through systemd; resolves when systemd has accepted the job. Undefined: there is no systemd, and it is
   * started detached.
   */
  readonly startBySystemd: ((command: readonly string[]) => Promise<void>) | undefined;
  /** Has it serve Docker's API; one that a command started without it is replaced. */
  readonly dockerApi?: AutostartedApi | undefined;
  readonly signal: AbortSignal;
  readonly log?: Pick<Logger, 'warn'>;
}

/** Docker's API of a monitor that commands start. */
export interface AutostartedApi {
  /** The path of its Unix socket. */
  readonly socket: string;
  readonly namespace: string;
}

/** How long a monitor may take until it answers. */
const START_LIMIT_MS = 15_000;
const POLL_MS = 10;
/** A larger log is renamed at the next start. */
const MAX_LOG_BYTES = 1 << 20;

/**
 * Ensures that a monitor of this containerd answers: a running one, else a new one. One that an older healthctl started
 * is drained and replaced; one that something else runs, such as a systemd unit, stays.
 *
 * @returns whether it had to be started
 * @throws UNAVAILABLE with the end of its log if it does not come up; CONFLICT if one with another run root runs, or a
 *   newer one that we do not understand
 */
export async function ensureDaemon(deps: AutostartDeps): Promise<boolean> {
  const paths = daemonPathsOf(deps.settings);
  const client = createDaemonClient(paths.apiSocket);
  if ((await lookAt(client, deps)).isCurrent) return false;
  if (client.isSilent) throw silentMonitorError(paths);
  makeOwnDirectory(paths.dir);
  const lock = await lockFile(
    {
      path: paths.startLock,
      flags: constants.O_RDWR | constants.O_CREAT,
      timeoutMs: 2 * START_LIMIT_MS,
      signal: deps.signal,
    },
    deps.clock,
  );
  try {
    await awaitMonitor(paths, deps);
    const { isCurrent, isAbsent, dockerApi } = await lookAt(createDaemonClient(paths.apiSocket), deps);
    if (isCurrent) return false;
    await refuseSecond(deps);
    if (!isAbsent) await drainDaemon(paths, deps);
    await startDaemon({ ...deps, dockerApi: deps.dockerApi ?? dockerApi }, paths, client);
    return true;
  } finally {
    lock.release();
  }
}

/** @returns whether the running monitor stays; of one that does not, the API that clients of Docker's use */
async function lookAt(
  client: DaemonClient,
  { signal, program, settings, dockerApi: wanted }: AutostartDeps,
): Promise<{ readonly isCurrent: boolean; readonly isAbsent?: boolean; readonly dockerApi?: AutostartedApi }> {
  const answer = await client.ask(REQUESTS.anyStatus, signal);
  if (!answer) return { isCurrent: false, isAbsent: client.unanswered?.kind === 'absent' };
  const ours = { version, commit, program: realPath(program) ?? '' };
  const { isAutostarted, version: running, commit: built, program: started, dockerApi } = answer.value;
  if (isAutostarted !== true) return { isCurrent: true };
  const theirs = { version: as(isText, running), commit: as(isText, built), program: as(isText, started) };
  const served = as(isDockerApi, dockerApi);
  if (!isReplacedBy(theirs, ours) && (served || !wanted)) return { isCurrent: true };
  const socket = served?.hosts.find((host) => host.startsWith(UNIX))?.slice(UNIX.length);
  if (!served || socket === undefined || socket === settings.monitor.dockerSocket) return { isCurrent: false };
  return { isCurrent: false, dockerApi: { socket, namespace: served.namespace } };
}

const UNIX = 'unix://';
const isDockerApi = objectOf({ namespace: isText, hosts: isTexts });

/** A monitor with another run root already makes the checks. */
async function refuseSecond({ settings, clock }: AutostartDeps): Promise<void> {
  const { address, namespace, runRoot } = settings;
  const owner = await findClaimHolder({ address, namespace }, clock);
  if (owner && owner.runRoot !== runRoot) throw conflictWith(owner, address);
}

async function startDaemon(deps: AutostartDeps, paths: DaemonPaths, client: DaemonClient): Promise<void> {
  const { clock, signal, startBySystemd } = deps;
  const command = daemonCommand(deps);
  const started = startBySystemd
    ? await startBySystemd(command).then(() => undefined)
    : spawnDetached(deps, paths, command);
  const deadline = clock.monotonic() + START_LIMIT_MS;
  while (clock.monotonic() < deadline && !signal.aborted && !started?.hasEnded()) {
    const answer = await client.ask(REQUESTS.anyStatus, signal);
    if (answer) return started?.endUnless(as(isNumber, answer.value.pid));
    await clock.sleep(POLL_MS, signal);
  }
  if (signal.aborted) throw new HealthctlError('ABORTED', 'starting the monitor was cancelled');
  if (started?.hasEnded()) {
    // Another one that started meanwhile may have been faster.
    await awaitMonitor(paths, deps);
    if (await client.ask(REQUESTS.anyStatus, signal)) return;
  }
  throw new HealthctlError('UNAVAILABLE', `the monitor did not start: ${lastLineOf(paths.logFile)}`, {
    hint: 'see "healthctl daemon logs"; to do without it, set autostart = false',
  });
}

/** `node bin/healthctl GLOBAL FLAGS daemon run --autostarted`: settings are passed as flags. */
function daemonCommand({ program, settings, dockerApi }: AutostartDeps): readonly string[] {
  const { address, runRoot, dataRoot, snapshotter, debug } = settings;
  return [
    ...[process.execPath, ...NODE_FLAGS, '--', realpathSync(program)],
    ...['--address', address, '--run-root', runRoot, '--data-root', dataRoot, '--snapshotter', snapshotter],
    ...(dockerApi ? ['--namespace', dockerApi.namespace] : []),
    ...(debug ? ['--debug'] : []),
    ...['daemon', 'run', '--autostarted'],
    ...(dockerApi ? ['--docker-socket', dockerApi.socket] : []),
  ];
}

/**
 * The part of the caller's environment that a monitor gets: settings. The rest (proxies, NODE_OPTIONS, another
 * service's NOTIFY_SOCKET) would be that of whichever shell came first; systemd does not pass it either.
 */
export function monitorEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const own = Object.entries(env).filter(([name]) => name.startsWith('HEALTHCTL_'));
  const file = configFileOf(env);
  return {
    PATH: TOOL_DIRS.join(':'),
    ...NODE_ENVIRONMENT,
    ...Object.fromEntries(own),
    ...(file === undefined ? {} : { HEALTHCTL_TOML: file }),
  };
}

/** A monitor that we started. */
interface StartedMonitor {
  hasEnded(): boolean;
  /**
   * Ends it if another process answers. It waits for the locks of that monitor, and would take them when that ends
   * soon.
   */
  endUnless(answeringPid: number | undefined): void;
}

function spawnDetached(
  { env, log }: AutostartDeps,
  { logFile }: DaemonPaths,
  command: readonly string[],
): StartedMonitor {
  const output = openLog(logFile);
  try {
    const [file = '', ...args] = command;
    let isEnded = false;
    // A removed or unmounted working directory must not affect it.
    const child = startPlainly(
      () =>
        spawn(file, args, {
          cwd: '/',
          detached: true,
          stdio: ['ignore', 'ignore', output],
          env: monitorEnvironment(env),
        }),
      (kept) => log?.warn(`the monitor inherits limits of this shell that cannot be raised: ${kept.join(', ')}`),
    );
    child.once('error', () => {
      isEnded = true;
    });
    child.once('exit', () => {
      isEnded = true;
    });
    child.unref();
    return {
      hasEnded: () => isEnded,
      endUnless: (answeringPid) => {
        if (!isEnded && child.pid !== answeringPid) child.kill();
      },
    };
  } finally {
    closeSync(output);
  }
}

/** The daemon writes to it: O_NONBLOCK, which a regular file ignores, must have no effect on other objects. */
function openLog(logFile: string): number {
  makeOwnDirectory(dirname(logFile));
  const open = () => openOwnFile(logFile, constants.O_WRONLY | constants.O_APPEND);
  const { fd, stats } = open();
  if (stats.size <= MAX_LOG_BYTES) return fd;
  closeSync(fd);
  renameSync(logFile, `${logFile}.1`);
  return open().fd;
}

/** Prefix of an error on the command line, which may be followed by a hint. */
const ERROR_PREFIX = 'healthctl: ';
const ERROR_LINES = 3;
const MAX_READ_BYTES = 16 << 10;

function lastLineOf(path: string): string {
  const text = readOwnText(path, { maxBytes: MAX_READ_BYTES, part: 'end' });
  if (text === undefined) return 'it left no word';
  const lines = text.trimEnd().split('\n').slice(-ERROR_LINES);
  const error = lines.findLast((line) => line.startsWith(ERROR_PREFIX));
  return error?.slice(ERROR_PREFIX.length) ?? lines.at(-1) ?? '';
}
