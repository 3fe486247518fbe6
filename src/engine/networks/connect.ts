import { connectContainer, disconnectContainer } from '../../container/network/connect.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { endpointIn } from '../containers/network-request.ts';
import { withStatuses } from '../errors.ts';
import { type GoStruct, goStructOf } from '../go-struct.ts';
import type { EngineDeps } from '../host.ts';
import { empty, type Route } from '../route.ts';

/** Connecting containers to networks. */
export function networkConnectRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/networks/{id}/connect',
      handle: async (call) => {
        const body = goStructOf(await call.json(), 'ConnectOptions');
        const container = containerIn(body);
        const asked = endpointIn(call.part('id'), body.struct('EndpointConfig'));
        await withStatuses({ CONFLICT: 403 }, () => connectContainer(ctx, { container, asked, mayLackNetwork: true }));
        return empty(200);
      },
    },
    {
      method: 'POST',
      path: '/networks/{id}/disconnect',
      handle: async (call) => {
        const body = goStructOf(await call.json(), 'DisconnectOptions');
        const [container, network] = [containerIn(body), call.part('id')];
        const force = body.flag('Force');
        try {
          await withStatuses({ CONFLICT: 500 }, () => disconnectContainer(ctx, { container, network, force }));
        } catch (error) {
          if (!force || messageOf(error) !== `No such container: ${container}`) throw error;
          throw new HealthctlError('NOT_FOUND', `endpoint ${container} not found`, { cause: error });
        }
        return empty(200);
      },
    },
  ];
}

function containerIn(body: GoStruct): string {
  const container = body.text('Container');
  if (container === '') throw new HealthctlError('INVALID', 'invalid name or ID supplied: ""');
  return container;
}
