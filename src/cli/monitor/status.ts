import type { DaemonStatus } from '../../daemon/api/answers.ts';
import { createDaemonClient, type DaemonClient } from '../../daemon/api/client.ts';
import { REQUESTS } from '../../daemon/api/requests.ts';
import { daemonPathsOf } from '../../daemon/daemon-paths.ts';
import {
  brokenMonitorError,
  deniedMonitorError,
  lockHolderOf,
  newerMonitorError,
  silentMonitorError,
  UNKNOWN_STATUS,
  unreadableMonitorError,
} from '../../daemon/lock-holder.ts';
import { conflictWith, findClaimHolder } from '../../daemon/monitor-claim.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { World } from '../../world.ts';

type StatusWorld = Pick<World, 'settings' | 'clock' | 'signal'>;

type StatusAnswer = { readonly kind: 'answered'; readonly status: DaemonStatus } | Unanswered;

/** `unclear`: one may run, and cannot be asked, or another one has claimed the containerd. */
interface Unanswered {
  readonly kind: 'absent' | 'unclear';
  readonly error: HealthctlError;
}

/** The status of the monitor of these settings. */
export async function askStatus(world: StatusWorld): Promise<StatusAnswer> {
  const client = createDaemonClient(daemonPathsOf(world.settings).apiSocket);
  const answer = await client.ask(REQUESTS.status, world.signal);
  return answer ? { kind: 'answered', status: answer.value } : whyUnanswered(world, client);
}

/** The error for a monitor that could not be asked, or for none. */
async function whyUnanswered({ settings, clock }: StatusWorld, client: DaemonClient): Promise<Unanswered> {
  const paths = daemonPathsOf(settings);
  const { address, namespace, runRoot } = settings;
  const { unanswered = { kind: 'absent' } } = client;
  switch (unanswered.kind) {
    case 'silent':
      return unclear(silentMonitorError(paths));
    case 'denied':
      return unclear(deniedMonitorError(paths));
    case 'cut-off':
      return unclear(brokenMonitorError(paths));
    case 'unreadable':
      return unclear(unreadableMonitorError(paths));
    case 'refused':
      return unclear(
        new HealthctlError('UNAVAILABLE', unanswered.message, {
          hint: `see who asks process ${lockHolderOf(paths)}: ss -xp`,
          exitCode: UNKNOWN_STATUS,
        }),
      );
    case 'other-version':
      return unclear(newerMonitorError(paths));
    case 'absent': {
      const owner = await findClaimHolder({ address, namespace }, clock);
      if (owner && owner.runRoot !== runRoot) return unclear(conflictWith(owner, address));
      const error = new HealthctlError('UNAVAILABLE', `no monitor of containerd at ${address} runs`, {
        hint: 'start it with "healthctl daemon start", or install it with "healthctl daemon install"',
      });
      return { kind: 'absent', error };
    }
  }
}

const unclear = (error: HealthctlError): Unanswered => ({ kind: 'unclear', error });
