import { HealthctlError } from '../lib/errors.ts';
import { type ContainerView, refuseUnknown } from '../record/view.ts';
import { runPs } from '../system/run-ps.ts';
import type { ContainerContext } from './context.ts';
import { checkPsOptions, type ProcessTable, parseProcessTable } from './process-table.ts';
import { tellAction } from './tell-action.ts';

/**
 * The processes of a container in the output of the host's ps, with the host's pids (moby, daemon/top_unix.go).
 *
 * @param psOptions arguments for ps; none: `-ef`
 * @throws CONFLICT for a container that does not run; INVALID and RUNTIME if the output of ps would have no pids
 */
export async function topContainer(
  ctx: Pick<ContainerContext, 'containerd' | 'log'>,
  view: ContainerView,
  { psOptions, signal }: { readonly psOptions: readonly string[]; readonly signal: AbortSignal },
): Promise<ProcessTable> {
  refuseUnknown(view);
  const { record, state } = view;
  const options = psOptions.length > 0 ? psOptions : ['-ef'];
  checkPsOptions(options.join(' '));
  if (state !== 'running' && state !== 'paused')
    throw new HealthctlError('CONFLICT', `container ${record.id} is not running`);
  const pids = await ctx.containerd.tasks.pids(record.id, { signal });
  const table = parseProcessTable(await askPs(options, pids, signal), pids);
  await tellAction(ctx, { id: record.id, action: 'top' });
  return table;
}

/**
 * procps' ps shows only these processes with `-q`; without support for it, or in combination with these options, it
 * shows all.
 */
async function askPs(options: readonly string[], pids: readonly number[], signal: AbortSignal): Promise<string> {
  try {
    return await runPs([...options, `-q${pids.join(',')}`], signal);
  } catch (error) {
    if (!(error instanceof HealthctlError) || error.code !== 'RUNTIME') throw error;
    return runPs(options, signal);
  }
}
