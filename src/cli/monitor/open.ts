import { createDaemonClient, type DaemonClient } from '../../daemon/api/client.ts';
import { REQUESTS } from '../../daemon/api/requests.ts';
import { daemonPathsOf } from '../../daemon/daemon-paths.ts';
import { lockHolderOf } from '../../daemon/lock-holder.ts';
import type { ClaimHolder } from '../../daemon/monitor-claim.ts';
import type { World } from '../../world.ts';

/** Calls whose monitor did not answer, by their settings; it is not asked again. */
const silent = new WeakMap<World['settings'], string>();

const NO_MONITOR: DaemonClient = {
  isSilent: true,
  unanswered: { kind: 'silent' },
  ask: async () => undefined,
  send: async () => undefined,
  follow: async () => undefined,
};

interface MonitorWorld extends Pick<World, 'settings' | 'log' | 'clock'> {
  /** Default CLAIMS_DIR in src/daemon/monitor-claim.ts. */
  readonly claimsDir?: string;
}

/**
 * The monitor of this containerd, running or not: nothing is requested yet. If none with our run root answers, the one
 * with another run root that has claimed the namespace is asked.
 */
export function openMonitor(world: MonitorWorld): DaemonClient {
  const { settings } = world;
  if (silent.has(settings)) return NO_MONITOR;
  const own = clientOf(world, lockHolderOf(daemonPathsOf(settings)), settings.runRoot);
  let other: DaemonClient | undefined;
  const orOther = async <T>(use: (client: DaemonClient) => Promise<T | undefined>): Promise<T | undefined> => {
    const answer = await use(own);
    if (answer !== undefined || own.isSilent) return answer;
    const owner = await otherOwner(world);
    if (!owner) return undefined;
    other ??= clientOf(world, `${owner.pid}, with the run root ${owner.runRoot}`, owner.runRoot);
    return use(other);
  };
  return {
    get isSilent() {
      return own.isSilent || other?.isSilent === true;
    },
    get unanswered() {
      return other ? other.unanswered : own.unanswered;
    },
    send: (request, signal) => orOther((client) => client.send(request, signal)),
    ask: (request, signal) => orOther((client) => client.ask(request, signal)),
    follow: (path, signal) => orOther((client) => client.follow(path, signal)),
  };
}

function clientOf({ settings, log }: MonitorWorld, process: string, runRoot: string): DaemonClient {
  return createDaemonClient(daemonPathsOf({ ...settings, runRoot }).apiSocket, {
    onSilent: () => {
      const text = `the monitor, process ${process}, does not answer`;
      if (!silent.has(settings)) log.warn(`${text}: asking containerd instead`);
      silent.set(settings, text);
    },
  });
}

/**
 * The monitor that checks the namespace with another run root than ours; undefined if there is none, or we lack
 * permission.
 */
export async function otherOwner(
  { settings, clock, claimsDir }: Omit<MonitorWorld, 'log'>,
  namespace = settings.namespace,
): Promise<ClaimHolder | undefined> {
  const { address, runRoot } = settings;
  const { findClaimHolder } = await import('../../daemon/monitor-claim.ts');
  const dir = claimsDir === undefined ? {} : { dir: claimsDir };
  const owner = await findClaimHolder({ address, namespace, ...dir }, clock);
  return owner?.runRoot === runRoot ? undefined : owner;
}

/** The answer of `whyUnmonitored` that a start of the monitor changes. */
export const NO_MONITOR_RUNS = 'no monitor runs';

/**
 * Why a namespace has no scheduled checks, as the beginning of a sentence; undefined if a monitor or systemd timers
 * make them.
 */
export async function whyUnmonitored(
  world: MonitorWorld & Pick<World, 'signal'>,
  namespace = world.settings.namespace,
): Promise<string | undefined> {
  const { settings } = world;
  const { scheduler, namespaces } = settings.monitor;
  if (scheduler === 'systemd') return undefined;
  if (namespaces.length > 0 && !namespaces.includes(namespace)) return NO_MONITOR_RUNS;
  if (await openMonitor(world).ask(REQUESTS.anyStatus, world.signal)) return undefined;
  const text = silent.get(settings);
  if (text !== undefined) return text;
  const owner = await otherOwner(world, namespace);
  return owner
    ? `the monitor, process ${owner.pid}, with the run root ${owner.runRoot}, does not answer`
    : NO_MONITOR_RUNS;
}
