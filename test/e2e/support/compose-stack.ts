import { cpSync, mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { PrivateContainerd } from '../../../testbed/private-containerd.ts';
import {
  mustRun,
  type ProgramResult,
  type RunningProgram,
  runProgram,
  startProgram,
} from '../../../testbed/program.ts';
import { type EngineBed, startEngine } from './engine.ts';
import { type Bed, openBed, until } from './harness.ts';
import { type NetworkHost, openNetworkHost } from './network-host.ts';

/** A compose project on a monitor of its own, in a network namespace in place of the host's. */
export interface ComposeStack extends AsyncDisposable {
  readonly bed: Bed;
  readonly host: NetworkHost;
  /** The directory of the project, with a copy of `files`. */
  readonly directory: string;
  /** The monitor that was started last. */
  engine(): EngineBed;
  startMonitor(): Promise<void>;
  /** Runs `compose ARGS` to its end; never throws for an exit status. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<ProgramResult>;
  /** Like `run`, but must exit with 0; returns stdout. */
  ok(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
  start(args: readonly string[]): RunningProgram;
  /** `docker inspect` of the project's containers, by name without the project: `app-1`. */
  containers(): Promise<ReadonlyMap<string, StackContainer>>;
  /** Waits until the container, e.g. `app-1`, is as wanted, and returns it. */
  untilContainer(name: string, is: (one: StackContainer) => boolean, what: string): Promise<StackContainer>;
  /** All that containers, networks and volumes leave on a machine, by kind. */
  remains(): Promise<Readonly<Record<string, readonly string[]>>>;
}

export interface StackContainer {
  readonly id: string;
  readonly pid: number;
  readonly status: string;
  /** Empty without a check. */
  readonly health: string;
  readonly restarts: number;
  readonly startedAtMs: number;
}

export interface StackOptions {
  /** The compose program. */
  readonly compose: string;
  /** The name in the compose file. */
  readonly project: string;
  /** A directory with a compose file; default none. */
  readonly files?: string;
  /** Variables for compose. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Lines of the monitor's configuration. */
  readonly settings?: readonly string[];
  /** Default: that of the run. */
  readonly containerd?: PrivateContainerd;
  /** Called before the monitor is started. */
  readonly prepare?: (bed: Bed) => Promise<unknown>;
}

export async function openComposeStack(options: StackOptions): Promise<ComposeStack> {
  const bed = await openBed(['autostart = false', ...(options.settings ?? [])], options.containerd);
  let host: NetworkHost | undefined;
  const close = async (): Promise<void> => {
    await bed[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
  };
  try {
    host = await openNetworkHost(bed);
    await options.prepare?.(bed);
    return await stackOn({ bed, host, close }, options);
  } catch (error) {
    await close();
    throw error;
  }
}

interface Place {
  readonly bed: Bed;
  readonly host: NetworkHost;
  readonly close: () => Promise<void>;
}

async function stackOn({ bed, host, close }: Place, options: StackOptions): Promise<ComposeStack> {
  const { compose, project, files, environment = {} } = options;
  const directory = join(bed.directory, 'project');
  mkdirSync(directory);
  if (files !== undefined) cpSync(files, directory, { recursive: true });
  const startMonitor = () => startEngine(bed, [], (args) => host.spawnWithCgroups(...args));
  let engine = await startMonitor();
  const settingsOf = (env: Readonly<Record<string, string>> = {}) => ({
    env: { ...bed.env, DOCKER_HOST: `unix://${engine.socket}`, ...environment, ...env },
    cwd: directory,
    timeoutMs: 400_000,
  });
  const containers = () => containersOf(engine, project);
  return {
    ...{ bed, host, directory, containers },
    engine: () => engine,
    startMonitor: async () => {
      engine = await startMonitor();
    },
    run: (args, env) => runProgram([compose, ...args], settingsOf(env)),
    ok: (args, env) => mustRun([compose, ...args], settingsOf(env)),
    start: (args) => startProgram([compose, ...args], settingsOf()),
    untilContainer: async (name, is, what) => {
      const find = async () => [(await containers()).get(name)].find((one) => one !== undefined && is(one));
      return until(find, { withinMs: 90_000, everyMs: 200, what: `${name} ${what}` }).catch(async (error: Error) => {
        const now = JSON.stringify((await containers()).get(name));
        throw new Error(`${error.message}: ${now}\n${engine.monitor.stderr().slice(-4_000)}`);
      });
    },
    remains: async () => ({ ...(await bed.traces()), ...(await host.remains()), ...(await listsOf(engine)) }),
    [Symbol.asyncDispose]: close,
  };
}

/** What Docker's API lists, and the sockets of the monitor. */
async function listsOf({ ask, monitor: { pid } }: EngineBed): Promise<Readonly<Record<string, readonly string[]>>> {
  const listed = async (path: string) => (await ask('GET', path)).json;
  const names = (list: unknown, key: string) => (list as Json[]).map((one) => String(one[key])).toSorted();
  const sockets = readdirSync(`/proc/${pid}/fd`).filter((fd) =>
    targetOf(`/proc/${pid}/fd/${fd}`).startsWith('socket:'),
  );
  return {
    dockerContainers: names(await listed('/containers/json?all=1'), 'Id'),
    dockerNetworks: names(await listed('/networks'), 'Name'),
    dockerVolumes: names(((await listed('/volumes')) as Json).Volumes, 'Name'),
    monitorSockets: [`${sockets.length}`],
  };
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return ''; // closed meanwhile
  }
}

async function containersOf({ ask }: EngineBed, project: string): Promise<ReadonlyMap<string, StackContainer>> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`com.docker.compose.project=${project}`] }));
  const { json } = await ask('GET', `/containers/json?all=1&filters=${filters}`);
  const answers = await Promise.all((json as Json[]).map(({ Id }) => ask('GET', `/containers/${Id}/json`)));
  const found = answers.filter(({ status }) => status === 200).map((answer) => answer.json as Inspected);
  const pairs = found.map((one) => [one.Name.slice(`/${project}-`.length), containerFrom(one)] as const);
  return new Map(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

type Json = Readonly<Record<string, unknown>>;

interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly Pid: number;
    readonly StartedAt: string;
    readonly Health?: { readonly Status: string };
  };
}

const containerFrom = ({ Id, RestartCount, State }: Inspected): StackContainer => ({
  ...{ id: Id, pid: State.Pid, status: State.Status, restarts: RestartCount },
  health: State.Health?.Status ?? '',
  startedAtMs: Date.parse(State.StartedAt),
});
