import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { dockerArchive, type ImageConfig, type ImageOptions } from '../../../testbed/image-archive.ts';
import { type PrivateContainerd, testbedEnvironment } from '../../../testbed/private-containerd.ts';
import { endProcesses, listProcesses, readProcess } from '../../../testbed/processes.ts';
import {
  mustRun,
  type ProgramOptions,
  type ProgramResult,
  type RunningProgram,
  runProgram,
  startProgram,
} from '../../../testbed/program.ts';
import { removeTree, unmountBelow } from '../../../testbed/testbed-remains.ts';
import { until } from '../../../testbed/until.ts';
import { differences, findTraces, type Traces } from './traces.ts';

export { until } from '../../../testbed/until.ts';

/** The built program. */
export const HEALTHCTL = fileURLToPath(new URL('../../../bin/healthctl', import.meta.url));

/** Options for calling healthctl. Defaults are the bed's. */
export interface CliOptions extends Partial<Omit<ProgramOptions, 'env'>> {
  /** Added to the bed's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default 60,000. Then the program is killed, and the call throws. */
  readonly timeoutMs?: number;
}

/** Options of an image of `bed.image`, besides its config. */
export type BedImageOptions = Pick<ImageOptions, 'shell' | 'files'>;

/** A containerd namespace on the run's private containerd, with its own run root and data root. */
export interface Bed extends AsyncDisposable {
  readonly address: string;
  readonly namespace: string;
  /** Contains the following, and is removed with the bed. Tests may put files there. */
  readonly directory: string;
  readonly runRoot: string;
  readonly dataRoot: string;
  /** The environment of all its programs. */
  readonly env: Readonly<Record<string, string>>;
  /** The flags before every command: --address, --namespace, --run-root, --data-root. */
  readonly globalFlags: readonly string[];
  /** Runs `healthctl ARGS` to its end; never throws for an exit status. */
  cli(args: readonly string[], options?: CliOptions): Promise<ProgramResult>;
  /** Like `cli`, but must exit with 0; returns stdout without the last newline. */
  ok(args: readonly string[], options?: CliOptions): Promise<string>;
  /** Starts `healthctl ARGS`, which ends with the bed at the latest. */
  spawn(args: readonly string[], options?: CliOptions): RunningProgram;
  /** Runs containerd's own `ctr` in the namespace; must succeed; returns stdout. */
  ctr(...args: string[]): Promise<string>;
  /**
   * Loads a busybox image with `healthctl load`, once for each config; returns its name, e.g.
   * `docker.io/test/3f2a:latest`.
   */
  image(config?: ImageConfig, options?: BedImageOptions): Promise<string>;
  /** A name that no other container of this bed has, e.g. `web-3`. */
  name(prefix?: string): string;
  /** Everything that a command may leave, for a comparison before and after. */
  traces(): Promise<Traces>;
  /**
   * Fails unless everything equals `before` within `withinMs` (default 5,000): containerd collects some things a moment
   * later.
   */
  expectNothingLeft(before: Traces, withinMs?: number): Promise<void>;
}

/**
 * Opens a bed: `await using bed = await openBed()`, or `await bed[Symbol.asyncDispose]()` in `afterAll`.
 *
 * @param config lines of its configuration file. A monitor monitors only the bed's namespace; commands start none
 *   unless `autostart = true`. Containers have no network unless there is a line such as `network = "bridge"`
 * @param containerd default: that of the run
 */
export async function openBed(
  config: readonly string[] = ['autostart = false'],
  containerd: Pick<PrivateContainerd, 'directory' | 'address'> = inject('testbed'),
): Promise<Bed> {
  const { directory: testbed, address } = containerd;
  const namespace = `t-${randomBytes(4).toString('hex')}`;
  writeFileSync(join(testbed, 'namespaces', namespace), '');
  const directory = join(testbed, namespace);
  const [runRoot, dataRoot] = [join(directory, 'run'), join(directory, 'data')];
  mkdirSync(directory);
  const HEALTHCTL_TOML = join(directory, 'healthctl.toml');
  const network = config.some((line) => /^network *=/.test(line)) ? [] : ['network = "none"'];
  writeFileSync(HEALTHCTL_TOML, [`watch_namespaces = ["${namespace}"]`, ...network, ...config, ''].join('\n'));
  const env = { ...testbedEnvironment(testbed), HEALTHCTL_TOML };
  const globalFlags = ['--address', address, '--namespace', namespace, '--run-root', runRoot, '--data-root', dataRoot];
  const started = new Set<RunningProgram>();
  const command = (args: readonly string[]) => [HEALTHCTL, ...globalFlags, ...args];
  const settings = ({ env: more = {}, ...options }: CliOptions) => ({
    cwd: directory,
    ...options,
    env: { ...env, ...more },
  });
  let counter = 0;

  const bed: Bed = {
    ...{ address, namespace, directory, runRoot, dataRoot, env, globalFlags },
    cli: (args, options = {}) => runProgram(command(args), settings(options)),
    ok: async (args, options = {}) => (await mustRun(command(args), settings(options))).replace(/\n$/, ''),
    spawn: (args, options = {}) => {
      const running = startProgram(command(args), settings(options));
      started.add(running);
      return running;
    },
    ctr: (...args) => mustRun(['ctr', '--address', address, '--namespace', namespace, ...args], { env }),
    image: (config = {}, options = {}) =>
      loadImage({ bed, archives: join(testbed, 'archives'), config, options, loaded }),
    name: (prefix = 'c') => {
      counter += 1;
      return `${prefix}-${counter}`;
    },
    traces: () => findTraces({ bed, testbed }),
    expectNothingLeft: async (before, withinMs = 5_000) => {
      const left = async () => differences(before, await bed.traces());
      const nothing = async () => (await left()).length === 0;
      await until(nothing, { withinMs, everyMs: 100 }).catch(() => undefined);
      const lines = await left();
      if (lines.length > 0) throw new Error(`left behind:\n${lines.join('\n')}`);
    },
    [Symbol.asyncDispose]: () => closeBed({ bed, started }),
  };
  const loaded = new Map<string, Promise<string>>();
  return bed;
}

interface LoadRequest {
  readonly bed: Bed;
  readonly archives: string;
  readonly config: ImageConfig;
  readonly options: BedImageOptions;
  readonly loaded: Map<string, Promise<string>>;
}

/** Loads an image unless this bed has it. Simultaneous calls share one load. */
function loadImage({ bed, archives, config, options, loaded }: LoadRequest): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([config, options]))
    .digest('hex')
    .slice(0, 12);
  const name = `docker.io/test/${key}:latest`;
  const load = async () => {
    const archive = join(archives, `${key}.tar`);
    if (!existsSync(archive)) {
      // Two test files may write the same archive at the same time.
      const unfinished = `${archive}.${process.pid}`;
      writeFileSync(unfinished, await dockerArchive({ name, config, ...options }));
      renameSync(unfinished, archive);
    }
    await bed.ok(['load', '--quiet', '--input', archive]);
    return name;
  };
  const found = loaded.get(key) ?? load();
  loaded.set(key, found);
  return found;
}

/**
 * Ends the programs and containers of a bed and removes its files. Remaining images and snapshots are removed with the
 * containerd.
 */
async function closeBed({ bed, started }: { bed: Bed; started: Set<RunningProgram> }): Promise<void> {
  await bed.cli(['daemon', 'stop'], { env: { HEALTHCTL_TOML: '/dev/null' } });
  const running = [...started].map(({ pid }) => readProcess(pid)).filter((found) => found !== undefined);
  await endProcesses(running, { graceMs: 1_000 });
  // A monitor that did not answer in time would continue to restart and write.
  const left = listProcesses().filter(({ pid, args }) => args.includes(bed.runRoot) && pid !== process.pid);
  await endProcesses(left, { graceMs: 5_000 });
  // These fail or have no effect while something is still ending.
  await until(() => removeContainers(bed), {
    withinMs: 30_000,
    everyMs: 200,
    what: `the containers of ${bed.namespace}`,
  });
  await unmountBelow(bed.directory);
  await removeTree(bed.directory);
}

/** @returns true; throws if something could not be removed */
async function removeContainers(bed: Bed): Promise<true> {
  const lines = async (...args: string[]) => (await bed.ctr(...args)).split('\n').filter((line) => line !== '');
  const tasks = (await lines('tasks', 'ls')).slice(1).map((line) => line.trim().split(/\s+/));
  for (const [id = '', , status] of tasks) {
    if (status === 'PAUSED') await bed.ctr('tasks', 'resume', id);
    await bed.ctr('tasks', 'rm', '--force', id);
  }
  const containers = await lines('containers', 'ls', '--quiet');
  if (containers.length > 0) await bed.ctr('containers', 'rm', ...containers);
  return true;
}
