import { checkLogin } from '../../image/registry/login.ts';
import { isText } from '../../lib/shape.ts';
import { withStatuses } from '../errors.ts';
import type { EngineDeps } from '../host.ts';
import { json, type Route } from '../route.ts';
import { credentialsFrom } from './registry-auth.ts';

/** `/auth`: whether a registry takes these credentials. Nothing is stored: that is the client's. */
export function authRoutes({ clock }: Pick<EngineDeps, 'clock'>): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/auth',
      handle: async (call) => {
        const body = await call.json({ isRequired: true });
        const server = isText(body.serveraddress) ? body.serveraddress : '';
        const credentials = credentialsFrom(body) ?? { kind: 'password', username: '', password: '' };
        const world = { clock, env: process.env };
        // Docker 28 answers 500 for a wrong password.
        await withStatuses({ DENIED: 500, INVALID: 500 }, () =>
          checkLogin(world, { server, credentials }, call.signal),
        );
        return json({ IdentityToken: '', Status: 'Login Succeeded' });
      },
    },
  ];
}
