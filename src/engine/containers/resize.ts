import { tellAction } from '../../container/tell-action.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { EngineDeps } from '../host.ts';
import { type Call, empty, type Route } from '../route.ts';
import { terminalSizeFrom } from '../terminal-size.ts';
import { foundView } from './found.ts';

/** `/containers/{id}/resize`. A client asks again while the container is being started. */
export function resizeRoutes(deps: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/containers/{id}/resize',
      handle: async (call: Call) => {
        const size = terminalSizeFrom(call.query);
        const { state, record } = await foundView(deps, call);
        if (state !== 'running' && state !== 'paused')
          throw new HealthctlError('CONFLICT', `container ${record.id} is not running`);
        await deps.ctx.containerd.tasks.resize({ containerId: record.id, ...size });
        const attributes = { height: `${size.height}`, width: `${size.width}` };
        await tellAction(deps.ctx, { id: record.id, action: 'resize', attributes });
        return empty(200);
      },
    },
  ];
}
