import { publishRename } from '../events/own-events.ts';
import { HealthctlError, messageOf } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { domainnameOf, storedConfigOf } from '../record/stored-config.ts';
import type { ContainerView } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { checkName, refuseTakenName, withNamesLock } from './names.ts';
import { noteForNerdctl, releaseNerdctlName, withNerdctlName } from './nerdctl/store.ts';

/**
 * Renames a container, running or not. Docker's rules and texts (moby, daemon/rename.go).
 *
 * @param newName with or without a leading slash
 * @throws INVALID for an invalid name or its own, ALREADY_EXISTS for a name of another container in the namespace
 */
export async function renameContainer(
  ctx: ContainerContext,
  { record, name: oldName }: ContainerView,
  newName: string,
  signal?: AbortSignal,
): Promise<void> {
  const name = newName.replace(/^\//, '');
  if (name === oldName)
    throw new HealthctlError('INVALID', 'Renaming a container with the same name as its current name');
  await withNamesLock(
    ctx,
    async () => {
      try {
        checkName(name);
        await refuseTakenName(ctx, name, record.id);
      } catch (error) {
        if (!(error instanceof HealthctlError)) throw error;
        // Docker's names begin with a slash.
        const reason = messageOf(error).replace(`name (${name})`, `name (/${name})`);
        throw new HealthctlError(error.code, `Error when allocating new name: ${reason}`, { cause: error });
      }
      const { id } = record;
      const move = () => ctx.containerd.containers.setLabels(id, { [LABELS.name]: name });
      await withNerdctlName(ctx, { id, name }, move);
      await releaseNerdctlName(ctx, { id, name: oldName });
      const { [LABELS.owner]: owner, [LABELS.hostname]: hostname = id.slice(0, 12) } = record.labels;
      const stored = storedConfigOf(record);
      const domainname = stored ? domainnameOf(stored) : '';
      if (owner !== undefined) await noteForNerdctl(ctx, { id, name, hostname, domainname });
    },
    signal,
  );
  await publishRename({ events: ctx.containerd.events, log: ctx.log }, { id: record.id, oldName, name });
}
