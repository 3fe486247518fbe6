import type { ListedContainer } from '../../container/list.ts';
import { withEndNotes } from '../../container/start-failure-note.ts';
import type { ContainerSummary } from '../../daemon/api/answers.ts';
import { REQUESTS } from '../../daemon/api/requests.ts';
import { hostIdOf, type NamespaceDirs } from '../../lib/dirs.ts';
import { HealthctlError, hasCode } from '../../lib/errors.ts';
import { recordFromCompact } from '../../record/compact-record.ts';
import type { ContainerDocument } from '../../record/document.ts';
import { asRestarting, givenHealthConfigOf, viewFrom, withNextRestart } from '../../record/view.ts';
import type { ContainerWorld } from '../context.ts';
import { openMonitor } from './open.ts';

/** The containers of these settings' namespace from the monitor's answer, the newest first. */
export function listedFromAnswer(
  { settings, log }: Pick<ContainerWorld, 'settings' | 'log'>,
  answers: readonly ContainerSummary[],
): readonly ListedContainer[] {
  const namespaceDirs = namespaceDirsOf({ settings, log }, settings.namespace);
  return answers
    .map(({ record, task, run, health, lastCheck, isRestarting, isStateUnknown, nextRestart }): ListedContainer => {
      const facts = {
        record: recordFromCompact(record),
        task: taskFrom(record.id, task),
        run: run ?? undefined,
        isStateUnknown,
      };
      const view = withEndNotes(namespaceDirs, viewFrom(facts));
      return {
        view: withNextRestart(
          isRestarting ? asRestarting(view) : view,
          nextRestart === null ? undefined : Date.parse(nextRestart),
        ),
        health: { config: givenHealthConfigOf(record.labels), state: health ?? undefined, log: logFrom(lastCheck) },
      };
    })
    .sort((a, b) => b.view.record.createdAtMs - a.view.record.createdAtMs);
}

/** Our directories, without a connection to containerd. */
export function namespaceDirsOf(
  { settings, log }: Pick<ContainerWorld, 'settings' | 'log'>,
  namespace: string,
): NamespaceDirs {
  const { runRoot, dataRoot, nerdctlDataRoot, address } = settings;
  const onFault = (text: string) => log.warn(text);
  return { dirs: { runRoot, dataRoot, nerdctlDataRoot, hostId: hostIdOf(address), onFault }, namespace };
}

/** An older monitor does not send it. */
function logFrom(lastCheck: ContainerSummary['lastCheck'] | undefined): ListedContainer['health']['log'] {
  return lastCheck ? [{ ...lastCheck, output: '' }] : [];
}

function taskFrom(containerId: string, task: ContainerSummary['task']) {
  if (!task) return undefined;
  const { pid, status, exitStatus, exitedAtMs } = task;
  return { containerId, pid, status, exitStatus, exitedAtMs, terminal: false, stdin: '', stdout: '', stderr: '' };
}

/**
 * Docker's documents of containers from the monitor: for each name the document, or its error. Undefined if containerd
 * is to be asked.
 */
export async function documentsByMonitor(
  world: Pick<ContainerWorld, 'settings' | 'signal' | 'log' | 'clock'>,
  names: readonly string[],
): Promise<readonly (ContainerDocument | HealthctlError)[] | undefined> {
  const monitor = openMonitor(world);
  const answers = await Promise.all(
    names.map(async (name) => {
      try {
        return await monitor.ask(REQUESTS.inspect(world.settings.namespace, name), world.signal);
      } catch (error) {
        if (!(error instanceof HealthctlError) || hasCode(error, 'ABORTED')) throw error;
        return { value: error };
      }
    }),
  );
  const values = answers.flatMap((answer) => (answer ? [answer.value] : []));
  return values.length === names.length ? values : undefined;
}
