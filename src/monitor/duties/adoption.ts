import type { ContainerContext } from '../../container/context.ts';
import { hasNerdctlTimer, isNerdctlTimerSettled } from '../../container/nerdctl/timer.ts';
import type { HealthConfig } from '../../health/config.ts';
import type { Clock } from '../../lib/clock.ts';
import { keyOf } from '../../lib/container-key.ts';
import { LABELS } from '../../lib/labels.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import type { MonitorSettings } from '../../lib/settings.ts';
import { isNerdctls } from '../../store/state-dir.ts';
import type { KnownContainer } from '../host-model.ts';

const NS_PER_MS = 1e6;
/**
 * Number of intervals without a result after which nerdctl's timer counts as silent: its results come up to a second
 * late, and are noticed one interval late.
 */
const SILENT_INTERVALS = 3;
/** Time for starting nerdctl and its check on a busy machine. */
const SILENT_MS = 10_000;

/**
 * Decides whether nerdctl makes the checks of a container. nerdctl creates a transient timer named after the container
 * at its start.
 *
 * We always check a container of ours: a timer of nerdctl's on it, which `nerdctl start` creates, is ended. A container
 * of nerdctl's whose timer brings no results, because its program is gone or it was never started, is checked by us
 * until results come again.
 */
export function createAdoption(options: {
  readonly adopt: MonitorSettings['adopt'];
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly log: Pick<ServiceLogger, 'info' | 'warn'>;
  /** Whether nerdctl made it: see isNerdctls in src/store/state-dir.ts. */
  readonly isNerdctls: (container: KnownContainer) => boolean;
  readonly endTimer: (container: KnownContainer) => Promise<boolean>;
  readonly unitsDir?: string;
}): Adoption {
  const { adopt, clock, log, endTimer, unitsDir } = options;
  const ending = new Set<string>();
  const silences = new Map<string, Silence>();
  const endTimerOfOurs = (container: KnownContainer): void => {
    const [{ id }, key] = [container, keyOf(container)];
    if (ending.has(key) || !isNerdctlTimerSettled(id, clock.now(), unitsDir)) return;
    ending.add(key);
    void endTimer(container).then((isEnded) => {
      if (!isEnded) return; // a warning was logged; it is not tried again
      ending.delete(key);
      log.info(`container ${key}: ended the systemd timer ${id}.timer, by which nerdctl checked it too`);
    });
  };
  /** Whether its timer has brought no result for so long that it must be broken; logged once. */
  const isSilent = (container: KnownContainer): boolean => {
    const key = keyOf(container);
    const silence = followSilence(silences.get(key), container, clock.monotonic());
    const patienceMs = patienceOf(container.config);
    const isOver = silence.silentMs > patienceMs;
    if (isOver && !silence.isLogged) {
      log.warn(
        `container ${key}: nerdctl's timer ${container.id}.timer has made no check for ${Math.round(silence.silentMs / 1000)} s; checking it until it does`,
      );
    }
    silences.set(key, { ...silence, isLogged: isOver });
    return isOver;
  };
  return {
    isCheckedElsewhere: (container) => {
      const { id, record } = container;
      if (record.labels[LABELS.owner] !== undefined) {
        endTimerOfOurs(container);
        return false;
      }
      const isTheirs = isNerdctlsToCheck({
        ...{ id, adopt, unitsDir },
        isNerdctls: () => options.isNerdctls(container),
      });
      if (isTheirs && adopt === 'auto') return !isSilent(container);
      silences.delete(keyOf(container));
      return isTheirs;
    },
    forget: (container) => {
      ending.delete(keyOf(container));
      silences.delete(keyOf(container));
    },
  };
}

export interface Adoption {
  /** Called when a check is due. */
  isCheckedElsewhere(container: KnownContainer): boolean;
  /** Call it for a container that is gone. */
  forget(container: Pick<KnownContainer, 'namespace' | 'id'>): void;
}

/**
 * Like `isElsewhere`, for a check by a timer of healthctl: ends nerdctl's timer of a container of ours.
 *
 * @returns whether nerdctl checks the container
 */
export async function yieldToNerdctl(
  { clock, containerd, dirs, endNerdctlTimer }: YieldContext,
  { id, labels }: { readonly id: string; readonly labels: Readonly<Record<string, string>> },
  { adopt, unitsDir }: { readonly adopt: MonitorSettings['adopt']; readonly unitsDir?: string },
): Promise<boolean> {
  if (labels[LABELS.owner] === undefined) {
    const { namespace } = containerd;
    return isNerdctlsToCheck({ id, adopt, unitsDir, isNerdctls: () => isNerdctls(dirs, { namespace, id, labels }) });
  }
  if (isNerdctlTimerSettled(id, clock.now(), unitsDir)) await endNerdctlTimer(id);
  return false;
}

type YieldContext = Pick<ContainerContext, 'dirs' | 'endNerdctlTimer'> & {
  readonly clock: Pick<Clock, 'now'>;
  readonly containerd: Pick<ContainerContext['containerd'], 'namespace'>;
};

function isNerdctlsToCheck(container: {
  readonly id: string;
  readonly adopt: MonitorSettings['adopt'];
  readonly isNerdctls: () => boolean;
  readonly unitsDir: string | undefined;
}): boolean {
  const { id, adopt, unitsDir } = container;
  if (adopt === 'always' || !container.isNerdctls()) return false;
  return adopt === 'never' || hasNerdctlTimer(id, unitsDir);
}

/** How long nerdctl's timer has brought no result, as far as observed. */
interface Silence {
  readonly runId: string | undefined;
  /** When nerdctl's last result began. */
  readonly start: string | undefined;
  readonly askedAtMs: number;
  readonly silentMs: number;
  readonly isLogged: boolean;
}

/** A time without calls, such as a pause, counts as one interval at most. */
function followSilence(before: Silence | undefined, { run, stored, config }: KnownContainer, nowMs: number): Silence {
  const isNerdctlsResult = stored.state !== undefined && stored.state.run === undefined;
  const start = isNerdctlsResult ? stored.log.at(-1)?.start : before?.start;
  const asked = { runId: run?.id, start, askedAtMs: nowMs };
  if (!before || before.runId !== run?.id || before.start !== start) return { ...asked, silentMs: 0, isLogged: false };
  const sinceMs = Math.min(nowMs - before.askedAtMs, intervalMsOf(config));
  return { ...asked, silentMs: before.silentMs + sinceMs, isLogged: before.isLogged };
}

const intervalMsOf = (config: HealthConfig | undefined): number => (config?.intervalNs ?? 0) / NS_PER_MS;

const patienceOf = (config: HealthConfig | undefined): number =>
  SILENT_INTERVALS * intervalMsOf(config) + (config?.timeoutNs ?? 0) / NS_PER_MS + SILENT_MS;
