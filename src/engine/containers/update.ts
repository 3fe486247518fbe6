import { updateContainer } from '../../container/update.ts';
import { parseRestartPolicy, type RestartPolicy } from '../../health/restart-policy.ts';
import type { Limits } from '../../oci/resources.ts';
import { type GoStruct, goStructOf } from '../go-struct.ts';
import type { EngineDeps } from '../host.ts';
import { type Answer, type Call, json, type Route } from '../route.ts';
import { type ApiVersion, isSince } from '../version.ts';
import { discardedLimits } from './discarded.ts';
import { foundView } from './found.ts';
import { limitsIn } from './limits-request.ts';

/** Changes limits and the restart policy of a container; in the body zero means unchanged. */
export function updateRoutes(deps: EngineDeps): readonly Route[] {
  return [{ method: 'POST', path: '/containers/{id}/update', handle: (call) => update(deps, call) }];
}

async function update(deps: EngineDeps, call: Call): Promise<Answer> {
  const body = goStructOf(await call.json({ isRequired: true, type: 'container.UpdateConfig' }), 'UpdateConfig');
  const limits = limitsFrom(body, call.version);
  const restart = restartFrom(body);
  const view = await foundView(deps, call);
  try {
    await updateContainer(deps.ctx, view, { limits, restart });
  } finally {
    await deps.host.refresh(view.record.id);
  }
  const warnings = discardedLimits(body);
  return json({ Warnings: warnings.length === 0 ? null : warnings });
}

/** Before API 1.40 the number of processes could not be changed; since then zero removes its limit. */
function limitsFrom(body: GoStruct, version: ApiVersion): Limits {
  const { pidsLimit: _, ...limits } = limitsIn(body);
  const pidsLimit = isSince(version, 40) ? body.int('PidsLimit') : undefined;
  return pidsLimit === undefined ? limits : { ...limits, pidsLimit };
}

function restartFrom(body: GoStruct): RestartPolicy | undefined {
  const policy = body.struct('RestartPolicy');
  const name = policy?.text('Name') ?? '';
  return name === '' ? undefined : parseRestartPolicy(`${name}:${policy?.int('MaximumRetryCount', 'int') ?? 0}`);
}
