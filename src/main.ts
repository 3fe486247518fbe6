import { fstatSync } from 'node:fs';
import { explainFileError } from './cli/explain.ts';
import { resolveRequest } from './cli/grammar/resolve.ts';
import { exitCodeOf, optionError } from './cli/grammar/usage.ts';
import { registry } from './cli/registry.ts';
import { releaseDescriptors } from './cli/release-descriptors.ts';
import { BrokenPipe, logTo, type Output, processOutput, renderError, renderResult } from './cli/render.ts';
import { listenForSignals, type Signals } from './cli/signals.ts';
import { commit, version } from './lib/build-info.ts';
import { systemClock } from './lib/clock.ts';
import { errnoOf, hasCode } from './lib/errors.ts';
import type { Settings, Streams, WorldParts } from './world.ts';

/** As a shell reports a process that was killed by SIGPIPE. */
const BROKEN_PIPE = 141;

type RunRequest = Extract<Awaited<ReturnType<typeof resolveRequest>>, { kind: 'run' }>;

/** Runs one command line and returns the exit status. Throws only BrokenPipe. */
async function main(argv: readonly string[], umask: number): Promise<number> {
  // Whether to print debug output is known only with the settings; an error before that is a usage error.
  const output = processOutput(false);
  try {
    const request = await resolveRequest(registry, argv);
    switch (request.kind) {
      case 'version':
        output.stdout.write(`healthctl version ${version}, build ${commit}\n`);
        return 0;
      case 'help': {
        const { renderHelp } = await import('./cli/grammar/help.ts');
        output.stdout.write(await renderHelp(registry, request.target, terminalWidth()));
        return 0;
      }
      case 'run':
        return await run(request, umask);
    }
  } catch (error) {
    if (error instanceof BrokenPipe) throw error;
    renderError(output, error);
    return exitCodeOf(error, 1);
  }
}

async function run(request: RunRequest, umask: number): Promise<number> {
  const failureCode = request.command.failureCode ?? 1;
  const { loadSettings } = await import('./cli/config/config.ts');
  let settings: Settings;
  try {
    settings = await loadSettings(request.globals, process.env);
  } catch (error) {
    await releaseDescriptors(process.env);
    renderError(processOutput(false), error);
    return exitCodeOf(error, failureCode);
  }
  const reloadSettings = () => loadSettings(request.globals, process.env);
  return runWith(settings, request, { umask, reloadSettings });
}

async function runWith(
  settings: Settings,
  { target, command, input }: RunRequest,
  parts: Pick<WorldParts, 'umask' | 'reloadSettings'>,
): Promise<number> {
  const { createWorld } = await import('./world.ts');
  const output = processOutput(settings.debug);
  const signals = listenForSignals(process, exit, systemClock);
  const failures = new Set<() => void>();
  failLoudly(output, failures);
  const streams = lazyStreams(() => signals.abort(BROKEN_PIPE));
  const world = createWorld({
    settings,
    log: logTo(output),
    streams,
    env: process.env,
    signal: signals.signal,
    onSignal: signals.forwardTo,
    onSuspend: signals.onSuspend,
    onFailure: (listener) => {
      failures.add(listener);
      return () => failures.delete(listener);
    },
    ...parts,
  });
  const failureCode = command.failureCode ?? 1;
  try {
    const result = await command.run(world, input);
    const shown = (result.errors ?? []).filter((error) => !isAbort(error, signals));
    const errors = shown.map((error) => asError(explainFileError(error, settings)));
    const exitCode = renderResult(output, { ...result, errors }, failureCode);
    return shown.length < (result.errors?.length ?? 0) ? (signals.exitCode() ?? exitCode) : exitCode;
  } catch (error) {
    if (error instanceof BrokenPipe) throw error;
    if (isAbort(error, signals)) return signals.exitCode() ?? 1;
    await releaseDescriptors(process.env);
    const shown = optionError(explainFileError(error, settings), target.path);
    renderError(output, shown);
    return exitCodeOf(shown, failureCode);
  } finally {
    await Promise.all([world.close(), streams.flush()]);
  }
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** Whether an error only reports that a signal, or the reader of stdout, has ended the call. */
function isAbort(error: unknown, signals: Signals): boolean {
  if (!signals.signal.aborted) return false;
  return hasCode(error, 'ABORTED') || (error instanceof Error && error.name === 'AbortError');
}

/**
 * An error that nobody caught is a bug of ours: one line, the trace with --debug, exit 1.
 * @param before called first
 */
function failLoudly(output: Output, before: ReadonlySet<() => void>): void {
  const fail = (error: unknown): void => {
    for (const listener of before) listener();
    renderError(output, error);
    exit(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
}

interface OwnedStreams extends Streams {
  /** Waits until everything was written. */
  flush(): Promise<void>;
}

/** Opens each stream at its first use, which costs 2 ms. @param onBroken called when stdout has no reader any more */
function lazyStreams(onBroken: () => void): OwnedStreams {
  const opened = new Set<NodeJS.WriteStream>();
  const open = (stream: NodeJS.WriteStream, onError: (error: unknown) => void): NodeJS.WriteStream => {
    if (!opened.has(stream)) stream.on('error', onError);
    opened.add(stream);
    return stream;
  };
  return {
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return open(process.stdout, (error) => {
        if (errnoOf(error) !== 'EPIPE') throw error;
        onBroken();
      });
    },
    get stderr() {
      // Text that stderr does not accept is lost: there is no other output.
      return open(process.stderr, () => {});
    },
    flush: async () => {
      const pending = [...opened].filter((stream) => stream.writableLength > 0 && !stream.errored);
      await Promise.all(pending.map((stream) => new Promise((resolve) => stream.write('', resolve))));
    },
  };
}

/**
 * Columns of the terminal; undefined if stdout is none. Opens the stream only for a device, because that costs 2 ms.
 */
function terminalWidth(): number | undefined {
  return fstatSync(1).isCharacterDevice() && process.stdout.isTTY ? process.stdout.columns : undefined;
}

/**
 * The only exit: an open socket or timer must not keep the process. Everything printed was written: see writeAll in
 * cli/render.ts.
 */
function exit(exitCode: number): never {
  process.exit(exitCode);
}

// Files for containers (hosts, volumes, sources of binds) get Docker's modes, whatever the umask of the caller is: a
// monitor, a cron job, a hardened shell. Files for us alone are created with 0600 and 0700.
const callersUmask = process.umask(0o022);
// Node.js ends when nothing is left to wait for. If that happens before main has ended, it is our bug, and no success.
process.exitCode = 1;
main(process.argv.slice(2), callersUmask).then(exit, (error: unknown) => {
  if (!(error instanceof BrokenPipe)) renderError(processOutput(false), error);
  exit(error instanceof BrokenPipe ? BROKEN_PIPE : 1);
});
