import { join } from 'node:path';
import type { DaemonStatus, DockerApi } from '../../daemon/api/answers.ts';
import { installedDockerSocket } from '../../daemon/service-unit/install.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { Settings } from '../../lib/settings.ts';
import type { World } from '../../world.ts';
import { configPathOf } from '../config/config.ts';
import { GIVEN_SOCKET } from '../config/docker-settings.ts';
import { type MonitorWorld, startMonitor } from './announce-change.ts';
import { askStatus } from './status.ts';

type ConfigWorld = Pick<World, 'settings' | 'env'>;

/** Where a monitor serves Docker's API once it runs: from its unit, or from the configuration. */
export function configuredDockerSocket(settings: Settings): string | undefined {
  const { dockerSocket } = settings.monitor;
  return installedDockerSocket(settings) ?? (dockerSocket === GIVEN_SOCKET ? undefined : dockerSocket);
}

/** Where one that a command starts for Docker's clients does. */
export const ownDockerSocket = (settings: Settings): string =>
  configuredDockerSocket(settings) ?? join(settings.runRoot, 'docker.sock');

/** What to do so that a monitor serves Docker's API. */
export function howToServe({ settings, env }: ConfigWorld): string {
  const path = join(settings.runRoot, 'docker.sock');
  return `install the monitor with "healthctl daemon install --docker-socket", or set docker_socket = "${path}" in ${configPathOf(env)} and restart it`;
}

/** For a monitor that runs and does not serve Docker's API. */
export function unservedError(world: ConfigWorld, { pid }: Pick<DaemonStatus, 'pid'>): HealthctlError {
  const configured = configuredDockerSocket(world.settings);
  return new HealthctlError('UNAVAILABLE', `the monitor, process ${pid}, does not serve Docker's API`, {
    hint:
      configured === undefined
        ? howToServe(world)
        : `it is to be served at ${configured}: restart the monitor, or see its log for why it cannot serve there`,
  });
}

/** The API is opened after the monitor has answered for the first time. */
const OPENING_LIMIT_MS = 5_000;
const POLL_MS = 10;

/**
 * The value of DOCKER_HOST for the monitor. Starts one that serves Docker's API if none runs, and replaces one that a
 * command has started without it.
 *
 * @throws UNAVAILABLE if a monitor that you or systemd started does not serve it, CONFLICT if it serves another namespace
 *   or has another run root
 */
export async function ensureDockerHost(world: MonitorWorld): Promise<string> {
  const { settings, clock, signal } = world;
  const before = await askStatus(world);
  if (before.kind === 'unclear') throw before.error;
  if (before.kind === 'answered') {
    const { dockerApi, isAutostarted } = before.status;
    if (dockerApi) return hostIn(world, dockerApi);
    if (isAutostarted) await startMonitor(world, dockerApiOf(settings));
  } else {
    const activated = installedDockerSocket(settings);
    if (activated !== undefined) return `unix://${activated}`; // its first client starts the monitor
    refuseStart(world);
    await startMonitor(world, dockerApiOf(settings));
  }
  const deadline = clock.monotonic() + OPENING_LIMIT_MS;
  for (;;) {
    const answer = await askStatus(world);
    if (answer.kind !== 'answered') throw answer.error;
    const { status } = answer;
    if (status.dockerApi) return hostIn(world, status.dockerApi);
    const isExpected = status.isAutostarted || configuredDockerSocket(settings) !== undefined;
    if (!isExpected || clock.monotonic() >= deadline) throw unservedError(world, status);
    await clock.sleep(POLL_MS, signal);
  }
}

/** What a monitor started by a command serves for Docker's clients. */
const dockerApiOf = (settings: Settings) => ({
  socket: ownDockerSocket(settings),
  namespace: settings.monitor.dockerNamespace ?? settings.namespace,
});

/** Throws UNAVAILABLE if commands are to start no monitor. */
function refuseStart({ settings, env }: ConfigWorld): void {
  const { autostart, scheduler } = settings.monitor;
  if (autostart && scheduler === 'daemon') return;
  const why = autostart ? 'scheduler = "systemd"' : 'autostart = false';
  throw new HealthctlError(
    'UNAVAILABLE',
    `no monitor runs, and ${why} in ${configPathOf(env)} lets no command start one`,
    {
      hint: `start it: healthctl daemon run --docker-socket ${ownDockerSocket(settings)}`,
    },
  );
}

/** A Unix socket if there is one: TCP needs certificates. Throws CONFLICT. */
function hostIn({ settings, env }: ConfigWorld, { namespace, hosts }: DockerApi): string {
  const wanted = settings.monitor.dockerNamespace ?? settings.namespace;
  if (namespace !== wanted) {
    throw new HealthctlError(
      'CONFLICT',
      `the monitor serves Docker's API for the namespace ${JSON.stringify(namespace)}, not ${JSON.stringify(wanted)}`,
      { hint: `use --namespace ${namespace}, or set docker_namespace in ${configPathOf(env)} and restart it` },
    );
  }
  return hosts.find((host) => host.startsWith('unix://')) ?? hosts[0] ?? '';
}
